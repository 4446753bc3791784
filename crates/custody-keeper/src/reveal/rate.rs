//! How many texts one principal may see within an hour of the clock, whatever process they ask.
//!
//! ```text
//! reveal-rate/<tenant>/<principal>/<hour>/<place>      places 0 … per_hour - 1; who makes one, has it; none free: over
//! reveal-guesses/…                                     the same for attempts at what is not there, which are few an hour
//! ```
//! Every attempt takes one place, and a reveal of several texts one for each. Hours are those of the clock: around a full hour up to
//! twice as many may be seen within sixty minutes.

use std::collections::BTreeSet;

use custody_types::Timestamp;
use custody_vault::ObjectName;

use super::ports::{Papers, PortError};

const FOLDER: &str = "reveal-rate";
const OF_GUESSES: &str = "reveal-guesses";
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// The places of one principal in this hour.
pub(super) struct Rate<'a> {
    papers: &'a dyn Papers,
    of_principal: String,
    hour: i64,
}

impl<'a> Rate<'a> {
    /// Of texts that are there.
    pub(super) fn of(papers: &'a dyn Papers, who: (&str, &str), now: Timestamp) -> Self {
        Self::in_folder(FOLDER, papers, who, now)
    }

    /// Of attempts at what is not there: however many texts somebody saw, a first wrong request is told as one.
    pub(super) fn of_guesses(papers: &'a dyn Papers, who: (&str, &str), now: Timestamp) -> Self {
        Self::in_folder(OF_GUESSES, papers, who, now)
    }

    fn in_folder(folder: &str, papers: &'a dyn Papers, (tenant, principal): (&str, &str), now: Timestamp) -> Self {
        let of_principal = format!("{folder}/{}/{}", ObjectName::label(tenant), ObjectName::label(principal));
        Self { papers, of_principal, hour: now.micros().div_euclid(MICROS_PER_HOUR) }
    }

    /// Takes places; says whether there were as many. The list says which are worth trying, so that the thousandth text costs no more
    /// calls than the first.
    pub(super) async fn take(&self, wanted: usize, per_hour: u32, attempt: &str) -> Result<bool, PortError> {
        let listed = self.papers.list(&self.of_principal).await?;
        let known: Vec<(i64, u32, &String)> = listed.iter().filter_map(|name| self.place_of(name)).collect();
        let held: BTreeSet<u32> = known.iter().filter(|(hour, ..)| *hour == self.hour).map(|(_, place, _)| *place).collect();
        let mut taken = 0;
        for place in (0..per_hour).filter(|place| !held.contains(place)) {
            if taken == wanted {
                break;
            }
            if self.papers.put_new(&self.name(place), attempt.into()).await? {
                taken = taken.saturating_add(1);
            }
        }
        for (_, _, name) in known.iter().filter(|(hour, ..)| *hour < self.hour) {
            self.papers.delete(name).await?;
        }
        Ok(taken == wanted)
    }

    fn name(&self, place: u32) -> String {
        format!("{}/{}/{place}", self.of_principal, self.hour)
    }

    /// Hour and place of a name.
    fn place_of<'n>(&self, name: &'n String) -> Option<(i64, u32, &'n String)> {
        let (hour, place) = name.strip_prefix(&self.of_principal)?.strip_prefix('/')?.split_once('/')?;
        Some((hour.parse().ok()?, place.parse().ok()?, name))
    }
}
