//! One entry of LiteLLM's file.

use std::collections::{BTreeMap, BTreeSet};

use custody_types::{ModelName, PicoUsd, Text, Timestamp, is_geography};
use serde_json::value::RawValue;

use super::{
    Unexpressed,
    field::{self, Meaning, SEARCHES},
    number,
    subject::Subject,
};
use crate::{
    class::{Item, ServiceTier, TokenClass},
    entry::{PriceEntry, PriceTier, Prices},
    guardrail,
    premium::Factor,
    provider::Provider,
};

const MILLISECONDS: i128 = 1_000;

/// The fields of an entry, each as its own text.
pub(super) type Fields = BTreeMap<String, Box<RawValue>>;

/// Reads one entry field by field and notes what it cannot say.
pub(super) struct EntryReader<'k, 'u> {
    key: &'k str,
    tiers: BTreeMap<(ServiceTier, u64), Prices>,
    premiums: BTreeMap<Text, Factor>,
    seconds_again: Option<PicoUsd>,
    unexpressed: &'u mut Vec<Unexpressed>,
}

impl<'k, 'u> EntryReader<'k, 'u> {
    pub(super) fn new(key: &'k str, unexpressed: &'u mut Vec<Unexpressed>) -> Self {
        Self { key, tiers: BTreeMap::new(), premiums: BTreeMap::new(), seconds_again: None, unexpressed }
    }

    pub(super) fn read(mut self, fields: &Fields, from: Timestamp) -> Option<PriceEntry> {
        for (name, value) in fields {
            self.field(name, value.get());
        }
        self.compare_seconds();
        self.entry(from)
    }

    fn field(&mut self, name: &str, value: &str) {
        match field::meaning(name) {
            Meaning::Token { class, above, service } => self.token(name, value, class, (service, above)),
            Meaning::Item(item) => self.item(name, value, item),
            Meaning::SecondsAgain => self.seconds_again = self.price(name, value, MILLISECONDS),
            Meaning::Searches => {
                self.items_inside(name, value, |inside| SEARCHES.iter().find(|(known, _)| *known == inside).map(|(_, item)| *item))
            }
            Meaning::Guardrails => self.items_inside(name, value, guardrail::guardrail_item),
            Meaning::ProviderSpecific => self.provider_specific(name, value),
            Meaning::NoPrice(_) => {}
            Meaning::Unknown => self.note(name, "the field's meaning is not known"),
        }
    }

    fn token(&mut self, name: &str, value: &str, class: TokenClass, tier: (ServiceTier, u64)) {
        if let Some(price) = self.price(name, value, 1) {
            *self.tiers.entry(tier).or_default().per_token.place_of(class) = Some(price);
        }
    }

    fn item(&mut self, name: &str, value: &str, item: Item) {
        let units = if item.is_time() { MILLISECONDS } else { 1 };
        if let Some(price) = self.price(name, value, units) {
            self.tiers.entry((ServiceTier::Standard, 0)).or_default().per_item.insert(item, price);
        }
    }

    fn items_inside(&mut self, name: &str, value: &str, item_of: impl Fn(&str) -> Option<Item>) {
        for (inside, value) in self.inside(name, value) {
            let path = format!("{name}.{inside}");
            match item_of(&inside) {
                Some(item) => self.item(&path, value.get(), item),
                None => self.note(&path, "the unit is not known"),
            }
        }
    }

    /// A number named for a geography is a factor; a text is no price; any other number may be one.
    fn provider_specific(&mut self, name: &str, value: &str) {
        for (inside, value) in self.inside(name, value) {
            let path = format!("{name}.{inside}");
            let (value, is_geography) = (value.get(), is_geography(&inside));
            match value.parse::<Factor>() {
                _ if value.starts_with('"') => {}
                Ok(factor) if is_geography => drop(self.premiums.insert(Text::from(inside), factor)),
                Ok(_) => self.note(&path, "the factor's meaning is not known"),
                Err(_) => self.note(&path, "it is not an exact factor"),
            }
        }
    }

    fn inside(&mut self, name: &str, value: &str) -> Fields {
        serde_json::from_str(value).unwrap_or_else(|_| {
            self.note(name, "it is not an object");
            Fields::new()
        })
    }

    fn price(&mut self, name: &str, value: &str, units: i128) -> Option<PicoUsd> {
        let price = number::price(value, units);
        price.map_err(|error| self.note(name, &error.to_string())).ok()
    }

    /// The file states a second's price twice; two different ones can't both be charged.
    fn compare_seconds(&mut self) {
        let stated = self.tiers.get(&(ServiceTier::Standard, 0)).and_then(|prices| prices.per_item.get(&Item::RequestSecond));
        if self.seconds_again.is_some_and(|again| stated != Some(&again)) {
            self.note("input_cost_per_second", "it differs from cost_per_second, and only that one can be charged");
        }
    }

    fn entry(mut self, from: Timestamp) -> Option<PriceEntry> {
        let subject = Subject::of(self.key);
        let id = self.key.replace('*', "any");
        let named = id.parse::<ModelName>().ok().zip(subject.model.parse().ok());
        let is_label = |text: &String| text.parse::<ModelName>().is_ok();
        let Some((id, model)) = named.filter(|_| subject.variant.as_ref().is_none_or(is_label)) else {
            self.note("", "its name has characters or a length that a label can't have");
            return None;
        };
        let prices = self.tiers.remove(&(ServiceTier::Standard, 0)).unwrap_or_default();
        if prices.is_empty() && self.tiers.is_empty() {
            self.note("", "it has no price");
            return None;
        }
        let has_tokens = TokenClass::ALL.iter().any(|class| prices.per_token.of(*class).is_some());
        let tokens_included = prices.per_item.contains_key(&Item::RequestSecond) && !has_tokens;
        let tiers = self.tiers.into_iter().map(|((service, above_input_tokens), prices)| PriceTier { service, above_input_tokens, prices });
        Some(PriceEntry {
            id: id.text(),
            provider: Provider::Bedrock,
            model,
            variant: subject.variant.map(Text::from),
            regions: subject.region.map(Text::from).into_iter().collect::<BTreeSet<Text>>(),
            effective_from: from,
            effective_to: None,
            tokens_included,
            prices,
            tiers: tiers.collect(),
            premiums: self.premiums,
        })
    }

    fn note(&mut self, field: &str, why: &str) {
        self.unexpressed.push(Unexpressed { model: self.key.to_owned(), field: field.to_owned(), why: why.to_owned() });
    }
}
