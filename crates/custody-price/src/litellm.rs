//! From LiteLLM's public price file (BerriAI/litellm, MIT) to a price book. Every field is either a price that the book holds, or
//! known to be none, or listed as not expressed: nothing is dropped in silence.
//!
//! The book holds what the file says, not what LiteLLM's calculator assumes where it says nothing: a class, a tier of service or a
//! lifetime of cache without a price stays without one, and using it gives the finding `missing_price`.

mod field;
mod number;
mod read_entry;
mod same_subject;
mod subject;

use std::collections::BTreeMap;

use custody_types::{Text, Timestamp};
use serde_json::value::RawValue;

use self::{
    field::Meaning,
    read_entry::{EntryReader, Fields},
};
use crate::{book::PriceBook, mistake::PriceMistakes, render};

/// What an import gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// The text of a price book; [`PriceBook::parse`] takes it.
    pub book: String,
    /// Entries in it.
    pub entries: usize,
    /// Entries of other providers, which are not looked at.
    pub others: usize,
    /// What became of each field name, and in how many entries it stands.
    pub fields: BTreeMap<String, FieldFate>,
    /// Keys that say nothing beyond another key about the same model, and that key.
    pub repeated: BTreeMap<String, String>,
    /// What the book can't say.
    pub unexpressed: Vec<Unexpressed>,
}

/// What became of a field name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldFate {
    /// Entries that have it.
    pub entries: usize,
    /// What it is taken for.
    pub taken_for: &'static str,
}

/// Something of the file that the book can't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unexpressed {
    /// Key of the entry.
    pub model: String,
    /// Its field; empty where the whole entry is meant.
    pub field: String,
    /// Why.
    pub why: String,
}

/// The file can't be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is not a JSON object.
    #[error("the file is not a JSON object: error at line {line}")]
    NotAnObject {
        /// Where.
        line: usize,
    },
    /// What it says contradicts itself.
    #[error(transparent)]
    Contradictory(#[from] PriceMistakes),
}

const ABOUT: [&str; 4] = [
    "List prices of Amazon Bedrock, from the price file of LiteLLM (BerriAI/litellm, MIT licence, Copyright Berri AI).",
    "US dollars: per million tokens, per piece, per second. Check them against your own contract.",
    "Made by `custody price import`; a class, tier or lifetime that the file leaves out has no price here and is never guessed.",
    "An entry's id is its key in that file.",
];

/// Reads LiteLLM's file; its prices hold from a moment on, since the file has none.
///
/// # Errors
/// When it is not a JSON object, or holds two prices for the same thing.
pub fn import(json: &str, version: &Text, effective_from: Timestamp) -> Result<Import, ImportError> {
    let file: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(json).map_err(|error| ImportError::NotAnObject { line: error.line() })?;
    let mut import = Import::default();
    let mut entries = Vec::new();
    for (key, value) in &file {
        let Ok(fields) = serde_json::from_str::<Fields>(value.get()) else {
            import.unexpressed.push(Unexpressed { model: key.clone(), field: String::new(), why: "it is not an object".to_owned() });
            continue;
        };
        if !is_bedrock(&fields) {
            import.others += 1;
            continue;
        }
        import.count(&fields);
        entries.extend(EntryReader::new(key, &mut import.unexpressed).read(&fields, effective_from));
    }
    let entries = same_subject::settle(entries, &mut import.repeated, &mut import.unexpressed);
    import.book = render::book(&ABOUT, version, &entries);
    import.entries = entries.len();
    if !entries.is_empty() {
        PriceBook::parse("the imported book", &import.book)?;
    }
    Ok(import)
}

impl Import {
    fn count(&mut self, fields: &Fields) {
        for name in fields.keys() {
            let taken_for = taken_for(field::meaning(name));
            self.fields.entry(name.clone()).or_insert(FieldFate { entries: 0, taken_for }).entries += 1;
        }
    }
}

fn is_bedrock(fields: &Fields) -> bool {
    let provider = fields.get("litellm_provider").and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    provider.is_some_and(|provider| provider == "bedrock" || provider.starts_with("bedrock_"))
}

const fn taken_for(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Token { .. } => "a price of tokens",
        Meaning::Item(_) => "a price of an item",
        Meaning::SecondsAgain => "the price of a second, which must be that of cost_per_second",
        Meaning::Searches => "prices of web searches",
        Meaning::Guardrails => "prices of guardrail units",
        Meaning::ProviderSpecific => "factors by geography; texts are no prices",
        Meaning::NoPrice(why) => why,
        Meaning::Unknown => "not expressed: its meaning is not known",
    }
}
