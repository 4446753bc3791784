//! Completion of words, and when a statement is complete.

use custody_query::ScriptReader;
use rustyline::{
    Context, Helper, Result,
    completion::Completer,
    highlight::Highlighter,
    hint::Hinter,
    validate::{ValidationContext, ValidationResult, Validator},
};

const KEYWORDS: &[&str] = &[
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "count",
    "cross",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "filter",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "last",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "right",
    "select",
    "show",
    "tables",
    "then",
    "union",
    "using",
    "values",
    "when",
    "where",
    "with",
    "within",
];

/// Words to complete.
pub struct Names(Vec<String>);

impl Names {
    /// Keywords, and the names of the connection.
    pub fn new(names: Vec<String>) -> Self {
        let mut words: Vec<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).chain(names).collect();
        words.sort();
        words.dedup();
        Self(words)
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> Result<(usize, Vec<String>)> {
        let before = line.get(..position).unwrap_or_default();
        let begins = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |place| place.saturating_add(1));
        let word = before.get(begins..).unwrap_or_default().to_lowercase();
        if word.is_empty() {
            return Ok((position, Vec::new()));
        }
        Ok((begins, self.0.iter().filter(|name| name.starts_with(&word)).cloned().collect()))
    }
}

impl Validator for Names {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let input = context.input();
        let is_command = input.trim_start().starts_with('\\') || matches!(input.trim(), "" | "quit" | "exit");
        let mut reader = ScriptReader::default();
        reader.push(input);
        let is_complete = is_command || !reader.is_amid_statement();
        Ok(if is_complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Helper for Names {}
