//! Which entry and which of its prices hold for a request.
//!
//! ```text
//! 1  entries of the provider, the model as asked for, the variant and the moment:
//!    one that names the Region called, else one that names none
//!    beforehand, where the geography is known and the model's name does not say it: the same for the profile's id
//! 2  none, and the model is a profile's id: the same for the model behind it, if that entry has a factor for the profile
//! 3  the service tier's prices; of several, those above the longest input border that the request is beyond.
//!    A tier that the entry does not list has no price: the standard tier's would be a guess
//! 4  a factor: for the geography by name, else for its kind; without a geography, for `in_region`
//! ```

use custody_types::{ModelName, Text};

use crate::{
    book::PriceBook,
    class::ServiceTier,
    entry::{PriceEntry, Prices},
    facts::Facts,
    finding::Finding,
    premium::Factor,
    quote::Reason,
};

const IN_REGION: &str = "in_region";
const GEOGRAPHIC: &str = "geographic";
const GLOBAL: &str = "global";

/// The prices that hold, and why.
pub(crate) struct Choice<'b> {
    pub(crate) entry: &'b PriceEntry,
    pub(crate) prices: &'b Prices,
    pub(crate) premium: Option<Factor>,
    pub(crate) reasons: Vec<Reason>,
}

pub(crate) fn choose<'b>(book: &'b PriceBook, facts: &Facts, input: u64) -> Result<Choice<'b>, Finding> {
    let mut reasons = Vec::new();
    let (entry, geography) = match own_or_profiles(book, facts, &mut reasons) {
        Some(found) => found,
        None => behind_profile(book, facts, &mut reasons).ok_or(Finding::MissingPrice)?,
    };
    let (above, prices) = entry.tier(facts.service, input).ok_or(Finding::MissingPrice)?;
    if facts.service != ServiceTier::Standard {
        reasons.push(Reason::Service(facts.service));
    }
    if above > 0 {
        reasons.push(Reason::LongInput { input, above });
    }
    let premium = premium(entry, geography.as_deref());
    if let Some((name, factor)) = &premium {
        reasons.push(Reason::Premium(name.clone(), *factor));
    }
    Ok(Choice { entry, prices, premium: premium.map(|(_, factor)| factor), reasons })
}

/// The entry of the profile that the geography stands for, whose prices are whole; else the model's own, with the geography's factor.
fn own_or_profiles<'b>(book: &'b PriceBook, facts: &Facts, reasons: &mut Vec<Reason>) -> Option<(&'b PriceEntry, Option<Text>)> {
    if let Some(id) = facts.profile_id()
        && let Some(entry) = find(book, facts, &id, reasons)
    {
        reasons.push(Reason::OfProfile(id));
        return Some((entry, None));
    }
    Some((find(book, facts, &facts.model, reasons)?, facts.geography.clone()))
}

fn find<'b>(book: &'b PriceBook, facts: &Facts, model: &ModelName, reasons: &mut Vec<Reason>) -> Option<&'b PriceEntry> {
    let holding = || book.history(facts.provider, model).iter().filter(|entry| entry.variant == facts.variant && entry.holds_at(facts.at));
    let of_region = facts.region.as_ref().and_then(|region| holding().find(|entry| entry.regions.contains(region)));
    match of_region {
        Some(_) => reasons.extend(facts.region.clone().map(Reason::Region)),
        None => reasons.push(Reason::AnyRegion(facts.region.clone())),
    }
    let found = of_region.or_else(|| holding().find(|entry| entry.regions.is_empty()));
    if found.is_none() {
        reasons.clear();
    }
    found
}

fn behind_profile<'b>(book: &'b PriceBook, facts: &Facts, reasons: &mut Vec<Reason>) -> Option<(&'b PriceEntry, Option<Text>)> {
    let (geography, model) = facts.profile()?;
    let entry = find(book, facts, &model, reasons)?;
    premium(entry, Some(geography))?;
    reasons.push(Reason::BehindProfile(model));
    Some((entry, Some(Text::from(geography))))
}

fn premium(entry: &PriceEntry, geography: Option<&str>) -> Option<(Text, Factor)> {
    let by_name = |name: &str| entry.premiums.get_key_value(name).map(|(name, factor)| (name.clone(), *factor));
    match geography {
        None => by_name(IN_REGION),
        Some(GLOBAL) => by_name(GLOBAL),
        Some(geography) => by_name(geography).or_else(|| by_name(GEOGRAPHIC)),
    }
}
