//! From entries back to the text of a price book, the same text for the same entries.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat};
use custody_types::{PicoUsd, Text, Timestamp};

use crate::{
    book::PriceBook,
    class::{Item, TokenClass},
    entry::{PriceEntry, Prices},
};

const TOKENS: i128 = 1_000_000;
const MILLISECONDS: i128 = 1_000;
const PICO_DIGITS: usize = 12;

/// A book of these entries, in the order given. `about` stands above it as comment lines.
pub(crate) fn book(about: &[&str], version: &Text, entries: &[PriceEntry]) -> String {
    let mut text = String::new();
    for line in about {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(text, "\nversion = \"{version}\"\ncurrency = \"{}\"", PriceBook::CURRENCY);
    for entry in entries {
        write_entry(&mut text, entry);
    }
    text
}

fn write_entry(text: &mut String, entry: &PriceEntry) {
    let _ = writeln!(text, "\n[[entries]]\nid = \"{}\"\nprovider = \"{}\"\nmodel = \"{}\"", entry.id, entry.provider, entry.model);
    if let Some(variant) = &entry.variant {
        let _ = writeln!(text, "variant = \"{variant}\"");
    }
    if !entry.regions.is_empty() {
        let regions: Vec<String> = entry.regions.iter().map(|region| format!("\"{region}\"")).collect();
        let _ = writeln!(text, "regions = [{}]", regions.join(", "));
    }
    let _ = writeln!(text, "effective_from = {}", moment(entry.effective_from));
    if let Some(end) = entry.effective_to {
        let _ = writeln!(text, "effective_to = {}", moment(end));
    }
    if entry.tokens_included {
        let _ = writeln!(text, "tokens = \"included\"");
    }
    write_prices(text, "entries", &entry.prices);
    for tier in &entry.tiers {
        let _ = writeln!(text, "[[entries.tiers]]\nservice = \"{}\"", tier.service);
        if tier.above_input_tokens > 0 {
            let _ = writeln!(text, "above_input_tokens = {}", tier.above_input_tokens);
        }
        write_prices(text, "entries.tiers", &tier.prices);
    }
    if !entry.premiums.is_empty() {
        let _ = writeln!(text, "[entries.premiums]");
    }
    for (name, factor) in &entry.premiums {
        let _ = writeln!(text, "\"{name}\" = \"{factor}\"");
    }
}

fn write_prices(text: &mut String, path: &str, prices: &Prices) {
    let (tokens, items) = stated(prices);
    for (table, lines) in [("per_million_tokens", tokens), ("per_item", items)] {
        if !lines.is_empty() {
            let _ = writeln!(text, "[{path}.{table}]");
        }
        for (key, price) in lines {
            let _ = writeln!(text, "{key} = \"{price}\"");
        }
    }
}

/// A key and its price.
type Line = (&'static str, String);

/// Each price as a file states it, by key: of a million tokens, and of a piece or a second.
pub(crate) fn stated(prices: &Prices) -> (Vec<Line>, Vec<Line>) {
    let token = |class: &TokenClass| prices.per_token.of(*class).map(|price| (class.as_str(), decimal(price, TOKENS)));
    let item = |(item, price): (&Item, &PicoUsd)| (item.as_str(), decimal(*price, if item.is_time() { MILLISECONDS } else { 1 }));
    (TokenClass::ALL.iter().filter_map(token).collect(), prices.per_item.iter().map(item).collect())
}

/// What so many units cost, in dollars without needless zeros.
fn decimal(price: PicoUsd, units: i128) -> String {
    let pico = i128::from(price.pico()).saturating_mul(units);
    let (whole, rest) = (pico / PICO_PER_USD, pico % PICO_PER_USD);
    let text = format!("{whole}.{rest:0PICO_DIGITS$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const PICO_PER_USD: i128 = 1_000_000_000_000;

/// Midnight is a date. A moment outside the calendar cannot come from a file.
pub(crate) fn moment(at: Timestamp) -> String {
    let text = DateTime::from_timestamp_micros(at.micros()).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true);
    text.strip_suffix("T00:00:00Z").map_or_else(|| text.clone(), str::to_owned)
}
