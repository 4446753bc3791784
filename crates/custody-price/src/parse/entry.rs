//! One entry of a price book.

use chrono::{DateTime, NaiveDate, NaiveTime};
use custody_types::{ModelName, PicoUsd, Timestamp};
use toml::{Table, value::Datetime};

use super::table::{Reader, quoted};
use crate::{
    book::{PriceEntry, TokenPrices},
    mistake::PriceMistake,
    provider::Provider,
};

pub(super) const ACCEPTED_MOMENT: &str =
    "a date such as 2026-11-01 without quotes, or a date-time with an offset such as 2026-11-01T00:00:00Z";
const ACCEPTED_PRICE: &str =
    "dollars per million tokens as a decimal in quotes, not negative, with at most 6 fraction digits, such as \"0.15\"";
const TOKENS_PER_PRICE: i64 = 1_000_000;
const KEYS: [&str; 6] = ["id", "provider", "model", "effective_from", "effective_to", "per_million_tokens"];
const CLASSES: [&str; 5] = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"];

/// An entry and its key path.
pub(super) struct Placed {
    pub(super) path: String,
    pub(super) entry: PriceEntry,
}

pub(super) fn read(file: &str, path: String, table: &Table, mistakes: &mut Vec<PriceMistake>) -> Option<Placed> {
    let before = mistakes.len();
    let mut reader = Reader::new(file, path.clone(), table, mistakes);
    reader.refuse_others(&KEYS);
    let id = reader.name("id");
    let provider = reader.parsed::<Provider>("provider", &format!("one of {}", Provider::ACCEPTED));
    let model = reader.parsed::<ModelName>("model", "the model's name in quotes, of 1 to 128 characters of A-Z a-z 0-9 . _ - : / @ +");
    let effective_from = reader.moment("effective_from");
    let effective_to = reader.optional_moment("effective_to");
    if effective_to.is_some_and(|end| effective_from.is_some_and(|start| end <= start)) {
        reader.mistake("effective_to", "not after effective_from".to_owned(), "the first moment at which the price no longer holds");
    }
    let prices = reader.table("per_million_tokens");
    let per_token = prices.map(|(path, table)| read_prices(file, path, table, mistakes));
    if mistakes.len() > before {
        return None;
    }
    let (id, provider, model, effective_from, per_token) = (id?, provider?, model?, effective_from?, per_token?);
    Some(Placed { path, entry: PriceEntry { id, provider, model, effective_from, effective_to, per_token } })
}

fn read_prices(file: &str, path: String, table: &Table, mistakes: &mut Vec<PriceMistake>) -> TokenPrices {
    let mut reader = Reader::new(file, path, table, mistakes);
    reader.refuse_others(&CLASSES);
    if table.is_empty() {
        reader.mistake("input", "missing".to_owned(), ACCEPTED_PRICE);
    }
    let [input, cache_read, cache_write_5m, cache_write_1h, output] = CLASSES.map(|class| price(&mut reader, class));
    TokenPrices { input, cache_read, cache_write_5m, cache_write_1h, output }
}

/// The exact amount per token: what a million tokens cost must divide by a million without a rest.
fn price(reader: &mut Reader<'_, '_>, class: &str) -> Option<PicoUsd> {
    let text = reader.optional_string(class, ACCEPTED_PRICE)?;
    let per_million = text.parse::<PicoUsd>().ok().map(PicoUsd::pico);
    let exact = per_million.filter(|pico| !text.starts_with('-') && pico % TOKENS_PER_PRICE == 0);
    if exact.is_none() {
        reader.mistake(class, quoted(text), ACCEPTED_PRICE);
    }
    exact.map(|pico| PicoUsd::from_pico(pico / TOKENS_PER_PRICE))
}

/// A date is midnight UTC; a date-time says its offset. Anything else would depend on where it is read.
pub(super) fn moment(written: &Datetime) -> Option<Timestamp> {
    let text = written.to_string();
    let utc = match (written.date, written.time, written.offset) {
        (Some(_), None, None) => NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc(),
        (Some(_), Some(_), Some(_)) => DateTime::parse_from_rfc3339(&text).ok()?.to_utc(),
        _ => return None,
    };
    Some(Timestamp::from_micros(utc.timestamp_micros()))
}

impl PriceEntry {
    /// Whether both hold at some moment for the same provider and model.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end_of = |a: &Self, b: &Self| b.effective_to.is_none_or(|end| a.effective_from < end);
        let same = self.provider == other.provider && self.model == other.model;
        same && begins_before_end_of(self, other) && begins_before_end_of(other, self)
    }
}
