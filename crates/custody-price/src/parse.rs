//! From the text of a price book to its meaning.
//!
//! ```toml
//! version = "2026-11"
//! currency = "USD"
//!
//! [[entries]]
//! id = "some-model-2026-11"
//! provider = "openai_compatible"
//! model = "some-model"
//! variant = "1-month-commitment"         # optional: what the provider prices apart under one model name
//! regions = ["eu-west-1"]                # optional: Regions it holds in; without, every Region that no other entry names
//! effective_from = 2026-11-01            # midnight UTC; an offset date-time is taken as well
//! effective_to = 2027-01-01              # optional: first moment at which it no longer holds
//! tokens = "included"                    # optional: tokens without a price are paid for by capacity
//! [entries.per_million_tokens]           # decimals in quotes, at most 6 fraction digits; at least one class
//! input = "0.15"                         # also input_audio, input_image, output_audio
//! cache_read = "0.015"
//! cache_write_5m = "0.1875"
//! cache_write_1h = "0.30"
//! output = "0.60"
//! [entries.per_item]                     # optional: what is no token, by piece or by second; see `class.rs`
//! web_search_medium = "0.01"
//! request_second = "0.011"               # capacity: what a second of a request costs
//! [[entries.tiers]]                      # optional: other tiers of service, and longer inputs; for the whole request
//! service = "standard"                   # standard, batch, flex, priority, reserved, ultrafast
//! above_input_tokens = 200000            # optional: it holds where all input, cached included, is more
//! [entries.tiers.per_million_tokens]     # and per_item, as above
//! input = "0.30"
//! output = "0.90"
//! [entries.premiums]                     # optional: factors by geography, or by kind: in_region, geographic, global
//! geographic = "1.1"
//! ```

mod entry;
mod prices;
mod table;

use std::{collections::BTreeMap, fmt::Write};

use custody_types::Text;
use sha2::{Digest, Sha256};

use self::{entry::Placed, table::Reader};
use crate::{
    book::PriceBook,
    mistake::{PriceMistake, PriceMistakes},
};

pub(crate) fn book(file: &str, text: &str) -> Result<PriceBook, PriceMistakes> {
    let table: toml::Table = text.parse().map_err(|error| not_toml(file, text, &error))?;
    let mut mistakes = Vec::new();
    let mut reader = Reader::new(file, String::new(), &table, &mut mistakes);
    let version = reader.name("version");
    reader.exactly("currency", PriceBook::CURRENCY);
    let entries = reader.tables("entries");
    reader.refuse_others(&["version", "currency", "entries"]);
    let placed: Vec<Placed> = entries.into_iter().filter_map(|(path, entry)| entry::read(file, path, entry, &mut mistakes)).collect();
    refuse_same_ids(file, &placed, &mut mistakes);
    refuse_overlaps(file, &placed, &mut mistakes);
    match version {
        Some(version) if mistakes.is_empty() => {
            Ok(PriceBook::assemble(version, hash(text), placed.into_iter().map(|placed| placed.entry).collect()))
        }
        _ => Err(PriceMistakes(mistakes)),
    }
}

fn not_toml(file: &str, text: &str, error: &toml::de::Error) -> PriceMistakes {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let found = format!("not TOML at line {line} ({})", error.message().replace('\n', " "));
    PriceMistakes(vec![PriceMistake { file: file.to_owned(), key: String::new(), found, accepted: "a TOML document".to_owned() }])
}

fn refuse_same_ids(file: &str, placed: &[Placed], mistakes: &mut Vec<PriceMistake>) {
    let mut first_places: BTreeMap<&Text, &str> = BTreeMap::new();
    for Placed { path, entry } in placed {
        if let Some(first) = first_places.get(&entry.id) {
            mistakes.push(PriceMistake {
                file: file.to_owned(),
                key: format!("{path}.id"),
                found: format!("`{}`, which is also the id of `{first}`", entry.id),
                accepted: "an id of its own for each entry".to_owned(),
            });
        } else {
            first_places.insert(&entry.id, path);
        }
    }
}

/// Two prices for one moment would make cost a matter of luck.
fn refuse_overlaps(file: &str, placed: &[Placed], mistakes: &mut Vec<PriceMistake>) {
    for (count, later) in placed.iter().enumerate() {
        for earlier in placed.iter().take(count).filter(|earlier| earlier.entry.overlaps(&later.entry)) {
            mistakes.push(PriceMistake {
                file: file.to_owned(),
                key: format!("{}.effective_from", later.path),
                found: format!(
                    "in the time of `{}` (`{}`), for the same provider, model, variant and Region",
                    earlier.entry.id, earlier.path
                ),
                accepted: "times that do not overlap; end the earlier entry with effective_to".to_owned(),
            });
        }
    }
}

fn hash(text: &str) -> Text {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    Text::from(hex)
}
