//! Keys of LiteLLM's file that are about the same thing, such as `some.model` and `bedrock/some.model`. A book can hold one price
//! for a thing: the fuller entry stays where the other says no more than it does, else the shorter key.

use std::collections::{BTreeMap, BTreeSet};

use custody_types::{ModelName, Text};

use super::Unexpressed;
use crate::entry::{PriceEntry, Prices};

type Subject = (ModelName, Option<Text>, BTreeSet<Text>);

/// Leaves one entry for each thing. What another key said beside it is noted where it differs.
pub(super) fn settle(
    entries: Vec<PriceEntry>,
    repeated: &mut BTreeMap<String, String>,
    unexpressed: &mut Vec<Unexpressed>,
) -> Vec<PriceEntry> {
    let mut kept: BTreeMap<Subject, PriceEntry> = BTreeMap::new();
    for entry in entries {
        let subject = (entry.model.clone(), entry.variant.clone(), entry.regions.clone());
        let Some(earlier) = kept.remove(&subject) else {
            kept.insert(subject, entry);
            continue;
        };
        let (stays, goes) = ranked(earlier, entry);
        if covers(&stays, &goes) {
            repeated.insert(goes.id.to_string(), stays.id.to_string());
        } else {
            let why = format!("it contradicts `{}`, which is about the same model", stays.id);
            unexpressed.push(Unexpressed { model: goes.id.to_string(), field: String::new(), why });
        }
        kept.insert(subject, stays);
    }
    let mut entries: Vec<PriceEntry> = kept.into_values().collect();
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    entries
}

fn ranked(one: PriceEntry, other: PriceEntry) -> (PriceEntry, PriceEntry) {
    let (one_covers, other_covers) = (covers(&one, &other), covers(&other, &one));
    let one_is_shorter = one.id.len() <= other.id.len();
    let one_stays = if one_covers == other_covers { one_is_shorter } else { one_covers };
    if one_stays { (one, other) } else { (other, one) }
}

fn covers(fuller: &PriceEntry, other: &PriceEntry) -> bool {
    let same_rules = fuller.premiums == other.premiums && fuller.tokens_included == other.tokens_included;
    let tier = |wanted: &crate::PriceTier| {
        let same = |tier: &&crate::PriceTier| tier.service == wanted.service && tier.above_input_tokens == wanted.above_input_tokens;
        fuller.tiers.iter().find(same).is_some_and(|tier| holds(&tier.prices, &wanted.prices))
    };
    same_rules && holds(&fuller.prices, &other.prices) && other.tiers.iter().all(tier)
}

/// Whether every price of `other` stands in `fuller`.
fn holds(fuller: &Prices, other: &Prices) -> bool {
    let token = |class: &crate::TokenClass| other.per_token.of(*class).is_none_or(|price| fuller.per_token.of(*class) == Some(price));
    let item = |(item, price): (&crate::Item, &custody_types::PicoUsd)| fuller.per_item.get(item) == Some(price);
    crate::TokenClass::ALL.iter().all(token) && other.per_item.iter().all(item)
}
