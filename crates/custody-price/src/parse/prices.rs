//! The prices of an entry or of one of its tiers: `per_million_tokens` and `per_item`.

use std::collections::BTreeMap;

use custody_types::PicoUsd;
use toml::Table;

use super::table::{Reader, quoted};
use crate::{
    class::{Item, TokenClass},
    entry::{Prices, TokenPrices},
    mistake::PriceMistake,
};

pub(super) const PER_MILLION_TOKENS: &str = "per_million_tokens";
pub(super) const PER_ITEM: &str = "per_item";
const ACCEPTED_PER_MILLION: &str =
    "dollars per million tokens as a decimal in quotes, not negative, with at most 6 fraction digits, such as \"0.15\"";
const ACCEPTED_PER_PIECE: &str = "dollars as a decimal in quotes, not negative, with at most 12 fraction digits, such as \"0.04\"";
const ACCEPTED_PER_SECOND: &str =
    "dollars per second as a decimal in quotes, not negative, with at most 9 fraction digits, such as \"0.0007\"";
const TOKENS_PER_PRICE: i64 = 1_000_000;
const MILLISECONDS_PER_PRICE: i64 = 1_000;

pub(super) fn read(file: &str, path: &str, table: &Table, mistakes: &mut Vec<PriceMistake>) -> Prices {
    let mut reader = Reader::new(file, path.to_owned(), table, mistakes);
    let (tokens, items) = (reader.optional_table(PER_MILLION_TOKENS), reader.optional_table(PER_ITEM));
    Prices {
        per_token: tokens.map(|(path, table)| read_tokens(file, path, table, mistakes)).unwrap_or_default(),
        per_item: items.map(|(path, table)| read_items(file, path, table, mistakes)).unwrap_or_default(),
    }
}

fn read_tokens(file: &str, path: String, table: &Table, mistakes: &mut Vec<PriceMistake>) -> TokenPrices {
    let mut reader = Reader::new(file, path, table, mistakes);
    reader.refuse_others(&TokenClass::ALL.iter().map(|class| class.as_str()).collect::<Vec<_>>());
    if table.is_empty() {
        reader.mistake("input", "missing".to_owned(), ACCEPTED_PER_MILLION);
    }
    let mut prices = TokenPrices::default();
    for class in TokenClass::ALL {
        *prices.place_of(*class) = price(&mut reader, class.as_str(), TOKENS_PER_PRICE, ACCEPTED_PER_MILLION);
    }
    prices
}

fn read_items(file: &str, path: String, table: &Table, mistakes: &mut Vec<PriceMistake>) -> BTreeMap<Item, PicoUsd> {
    let mut reader = Reader::new(file, path, table, mistakes);
    reader.refuse_others(&Item::ALL.iter().map(|item| item.as_str()).collect::<Vec<_>>());
    let mut prices = BTreeMap::new();
    for item in Item::ALL {
        let (units, accepted) = if item.is_time() { (MILLISECONDS_PER_PRICE, ACCEPTED_PER_SECOND) } else { (1, ACCEPTED_PER_PIECE) };
        if let Some(price) = price(&mut reader, item.as_str(), units, accepted) {
            prices.insert(*item, price);
        }
    }
    prices
}

/// The exact amount for one unit: what the stated number of units cost must divide by that number without a rest.
fn price(reader: &mut Reader<'_, '_>, key: &str, units: i64, accepted: &str) -> Option<PicoUsd> {
    let text = reader.optional_string(key, accepted)?;
    let stated = text.parse::<PicoUsd>().ok().map(PicoUsd::pico);
    let exact = stated.filter(|pico| !text.starts_with('-') && pico % units == 0);
    if exact.is_none() {
        reader.mistake(key, quoted(text), accepted);
    }
    exact.map(|pico| PicoUsd::from_pico(pico / units))
}
