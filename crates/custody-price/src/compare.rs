//! What differs between two price books, entry by entry and price by price. An entry is the same where its id is.

use std::collections::BTreeMap;

use custody_types::Text;

use crate::{
    book::PriceBook,
    entry::{PriceEntry, Prices},
    render,
};

/// The differences, sorted by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookDifference {
    /// Ids that only the new book has.
    pub added: Vec<Text>,
    /// Ids that only the old book has.
    pub removed: Vec<Text>,
    /// Ids that both have, with what differs.
    pub changed: Vec<(Text, Vec<FieldChange>)>,
    /// How many are the same in both.
    pub same: usize,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its place in the entry, such as `standard above 200000.per_million_tokens.input`.
    pub field: String,
    /// What the old book says; nothing where it does not say it.
    pub old: Option<String>,
    /// What the new book says.
    pub new: Option<String>,
}

impl BookDifference {
    /// Compares two books.
    #[must_use]
    pub fn between(old: &PriceBook, new: &PriceBook) -> Self {
        let by_id = |book: &PriceBook| book.entries().into_iter().map(|entry| (entry.id.clone(), fields(entry))).collect();
        let (old, mut new): (BTreeMap<Text, Fields>, BTreeMap<Text, Fields>) = (by_id(old), by_id(new));
        let mut difference = Self::default();
        for (id, was) in old {
            match new.remove(&id) {
                None => difference.removed.push(id),
                Some(is) if is == was => difference.same += 1,
                Some(is) => difference.changed.push((id, changes(&was, &is))),
            }
        }
        difference.added = new.into_keys().collect();
        difference
    }

    /// Whether the books say the same.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

type Fields = BTreeMap<String, String>;

fn changes(was: &Fields, is: &Fields) -> Vec<FieldChange> {
    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort();
    names.dedup();
    let change = |field: &String| FieldChange { field: field.clone(), old: was.get(field).cloned(), new: is.get(field).cloned() };
    names.into_iter().map(change).filter(|change| change.old != change.new).collect()
}

/// Everything that an entry says but its id.
fn fields(entry: &PriceEntry) -> Fields {
    let regions: Vec<&str> = entry.regions.iter().map(|region| &**region).collect();
    let mut fields = Fields::from([
        ("provider".to_owned(), entry.provider.to_string()),
        ("model".to_owned(), entry.model.to_string()),
        ("effective_from".to_owned(), render::moment(entry.effective_from)),
    ]);
    let optional = [
        ("variant", entry.variant.as_ref().map(ToString::to_string)),
        ("regions", (!regions.is_empty()).then(|| regions.join(", "))),
        ("effective_to", entry.effective_to.map(render::moment)),
        ("tokens", entry.tokens_included.then(|| "included".to_owned())),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))));
    add_prices(&mut fields, "", &entry.prices);
    for tier in &entry.tiers {
        let above = if tier.above_input_tokens > 0 { format!(" above {}", tier.above_input_tokens) } else { String::new() };
        add_prices(&mut fields, &format!("{}{above}.", tier.service), &tier.prices);
    }
    fields.extend(entry.premiums.iter().map(|(name, factor)| (format!("premiums.{name}"), factor.to_string())));
    fields
}

fn add_prices(fields: &mut Fields, before: &str, prices: &Prices) {
    let (tokens, items) = render::stated(prices);
    fields.extend(tokens.into_iter().map(|(class, price)| (format!("{before}per_million_tokens.{class}"), price)));
    fields.extend(items.into_iter().map(|(item, price)| (format!("{before}per_item.{item}"), price)));
}
