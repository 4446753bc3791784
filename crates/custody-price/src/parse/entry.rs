//! One entry of a price book.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime};
use custody_types::{ModelName, Text, Timestamp};
use toml::{Table, value::Datetime};

use super::{
    prices,
    table::{NAME, Reader, quoted},
};
use crate::{
    class::ServiceTier,
    entry::{PriceEntry, PriceTier},
    mistake::PriceMistake,
    premium::Factor,
    provider::Provider,
};

pub(super) const ACCEPTED_MOMENT: &str =
    "a date such as 2026-11-01 without quotes, or a date-time with an offset such as 2026-11-01T00:00:00Z";
const ACCEPTED_FACTOR: &str = "a decimal factor in quotes, above zero, with at most 6 fraction digits, such as \"1.1\"";
const ACCEPTED_BORDER: &str = "a whole number of tokens, zero or more";
const KEYS: [&str; 12] = [
    "id",
    "provider",
    "model",
    "variant",
    "regions",
    "effective_from",
    "effective_to",
    "tokens",
    prices::PER_MILLION_TOKENS,
    prices::PER_ITEM,
    "tiers",
    "premiums",
];
const TIER_KEYS: [&str; 4] = ["service", "above_input_tokens", prices::PER_MILLION_TOKENS, prices::PER_ITEM];

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
    let variant = table.contains_key("variant").then(|| reader.name("variant")).flatten();
    let regions: BTreeSet<Text> = reader.optional_names("regions").into_iter().collect();
    let effective_from = reader.moment("effective_from");
    let effective_to = reader.optional_moment("effective_to");
    if effective_to.is_some_and(|end| effective_from.is_some_and(|start| end <= start)) {
        reader.mistake("effective_to", "not after effective_from".to_owned(), "the first moment at which the price no longer holds");
    }
    let tokens_included = table.contains_key("tokens");
    if tokens_included {
        reader.exactly("tokens", "included");
    }
    let prices_elsewhere = table.contains_key(prices::PER_ITEM) || table.contains_key("tiers");
    if !prices_elsewhere {
        reader.require_table(prices::PER_MILLION_TOKENS);
    }
    let (tiers, premiums) = (reader.optional_tables("tiers"), reader.optional_table("premiums"));
    let prices = prices::read(file, &path, table, mistakes);
    let tiers = tiers.into_iter().filter_map(|(path, table)| read_tier(file, &path, table, mistakes)).collect();
    let premiums = premiums.map(|(path, table)| read_premiums(file, path, table, mistakes)).unwrap_or_default();
    if mistakes.len() > before {
        return None;
    }
    let (id, provider, model, effective_from) = (id?, provider?, model?, effective_from?);
    let entry =
        PriceEntry { id, provider, model, variant, regions, effective_from, effective_to, tokens_included, prices, tiers, premiums };
    refuse_no_price(file, &path, &entry, mistakes);
    refuse_inexact_premiums(file, &path, &entry, mistakes);
    refuse_same_tiers(file, &path, &entry, mistakes);
    (mistakes.len() == before).then_some(Placed { path, entry })
}

fn read_tier(file: &str, path: &str, table: &Table, mistakes: &mut Vec<PriceMistake>) -> Option<PriceTier> {
    let mut reader = Reader::new(file, path.to_owned(), table, mistakes);
    reader.refuse_others(&TIER_KEYS);
    let service = reader.parsed::<ServiceTier>("service", &format!("one of {}", ServiceTier::accepted()));
    let above_input_tokens = reader.optional_count("above_input_tokens", ACCEPTED_BORDER).unwrap_or(0);
    if service == Some(ServiceTier::Standard) && above_input_tokens == 0 {
        reader.mistake("above_input_tokens", "missing".to_owned(), "a number above zero: the entry itself has the standard tier's prices");
    }
    let prices = prices::read(file, path, table, mistakes);
    if !table.contains_key(prices::PER_MILLION_TOKENS) && !table.contains_key(prices::PER_ITEM) {
        refuse_empty(file, path, "a tier without a price", mistakes);
    }
    Some(PriceTier { service: service?, above_input_tokens, prices })
}

fn read_premiums(file: &str, path: String, table: &Table, mistakes: &mut Vec<PriceMistake>) -> BTreeMap<Text, Factor> {
    let mut premiums = BTreeMap::new();
    let mut reader = Reader::new(file, path, table, mistakes);
    for name in table.keys() {
        if !super::table::is_name(name) {
            reader.mistake(name, quoted(name), &format!("in_region, geographic, global or a geography's name: {NAME}"));
        }
        if let Some(factor) = reader.parsed::<Factor>(name, ACCEPTED_FACTOR) {
            premiums.insert(Text::from(name.as_str()), factor);
        }
    }
    premiums
}

fn refuse_no_price(file: &str, path: &str, entry: &PriceEntry, mistakes: &mut Vec<PriceMistake>) {
    if entry.prices.is_empty() && entry.tiers.is_empty() {
        refuse_empty(file, path, "an entry without a price", mistakes);
    }
}

fn refuse_empty(file: &str, path: &str, found: &str, mistakes: &mut Vec<PriceMistake>) {
    let accepted = "at least one price in per_million_tokens or per_item".to_owned();
    mistakes.push(PriceMistake { file: file.to_owned(), key: path.to_owned(), found: found.to_owned(), accepted });
}

/// A factor that makes a price a fraction of a pico-dollar would have to be rounded some day.
fn refuse_inexact_premiums(file: &str, path: &str, entry: &PriceEntry, mistakes: &mut Vec<PriceMistake>) {
    let all = || entry.tiers.iter().map(|tier| &tier.prices).chain([&entry.prices]).flat_map(|prices| prices.all());
    for (name, factor) in &entry.premiums {
        if let Some(price) = all().find(|price| factor.of(*price).is_none()) {
            mistakes.push(PriceMistake {
                file: file.to_owned(),
                key: format!("{path}.premiums.{name}"),
                found: format!("`{factor}`, which makes a fraction of a pico-dollar of the price {price}"),
                accepted: "a factor that keeps every price of the entry a whole number of pico-dollars, or prices of their own".to_owned(),
            });
        }
    }
}

fn refuse_same_tiers(file: &str, path: &str, entry: &PriceEntry, mistakes: &mut Vec<PriceMistake>) {
    let mut seen = BTreeSet::new();
    for (index, tier) in entry.tiers.iter().enumerate() {
        if !seen.insert((tier.service, tier.above_input_tokens)) {
            mistakes.push(PriceMistake {
                file: file.to_owned(),
                key: format!("{path}.tiers[{index}]"),
                found: format!("a second one for `{}` above {} input tokens", tier.service, tier.above_input_tokens),
                accepted: "one table for each service and border".to_owned(),
            });
        }
    }
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
