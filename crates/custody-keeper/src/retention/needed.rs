//! Which unit keys texts still need: rows until they are due, and parked texts that may become rows of the key's month.

use std::collections::{BTreeMap, BTreeSet};

use custody_seal::{
    edge::EdgeDay,
    rest::{Month, UnitKeyId},
};

use super::due::{StreamRetention, key_goes_on};
use crate::forgetting::{ContentTable, ForgetError, KeptKey, TextGroup, VaultStore, first_day_after};

/// The day under which a text is parked is that of its key or its own; both are next to each other at most.
const BESIDE: i32 = 1;

/// What needs keys now.
pub(super) struct Needed {
    last_expiry: BTreeMap<UnitKeyId, i32>,
    parked: BTreeSet<EdgeDay>,
    stream: StreamRetention,
}

impl Needed {
    /// What is parked is read first: a text that leaves there in between is a row by then, and seen as one.
    pub(super) async fn read(vault: &dyn VaultStore, table: &dyn ContentTable, stream: StreamRetention) -> Result<Self, ForgetError> {
        let parked = vault.parked_days().await.map_err(ForgetError::at("listing parked texts"))?;
        let groups = table.inventory().await.map_err(ForgetError::at("reading what is kept"))?;
        Ok(Self { last_expiry: last_expiry_by_key(&groups), parked: parked.into_keys().collect(), stream })
    }

    /// Whether a key may not go on this day.
    pub(super) fn needs(&self, key: &KeptKey, today: i32) -> bool {
        let goes_on = key_goes_on(&key.unit, self.last_expiry.get(&key.id).copied(), self.stream);
        goes_on > today || self.parked.iter().any(|day| may_be_of(*day, key.unit.month))
    }
}

/// Whether a text that is parked under a day may have been made in a month.
fn may_be_of(day: EdgeDay, month: Month) -> bool {
    let after = first_day_after(month);
    let first = first_day_after(Month::from_number(month.number().saturating_sub(1)));
    (first.saturating_sub(BESIDE)..after.saturating_add(BESIDE)).contains(&day.number())
}

pub(super) fn last_expiry_by_key(groups: &[TextGroup]) -> BTreeMap<UnitKeyId, i32> {
    let mut last = BTreeMap::new();
    for (group, key) in groups.iter().filter_map(|group| Some((group, group.key?))) {
        let day = last.entry(key).or_insert(group.expires_on);
        *day = group.expires_on.max(*day);
    }
    last
}

#[cfg(test)]
mod tests {
    use custody_types::Timestamp;

    use super::*;

    #[test]
    fn a_parked_text_may_be_of_the_month_of_its_day_and_of_the_next_day_on_either_side() {
        let november = Month::of(Timestamp::from_micros(20_780 * 86_400_000_000));
        let (first, last) = (20_758, 20_787);
        for (day, may_be) in [(first - 2, false), (first - 1, true), (first, true), (last, true), (last + 1, true), (last + 2, false)] {
            assert_eq!(may_be_of(EdgeDay::from_number(day), november), may_be, "{day}");
        }
    }
}
