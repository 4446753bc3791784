//! How many texts one principal may see within an hour of the clock, whatever process they ask.
//!
//! ```text
//! reveal-rate/<tenant>/<principal>/<hour>/<place>      places 0 … per_hour - 1; who makes one, has it; none free: over
//! ```
//! Every attempt takes one place, and a reveal of several texts one for each. Hours are those of the clock: around a full hour up to
//! twice as many may be seen within sixty minutes.

use custody_types::Timestamp;
use custody_vault::ObjectName;

use super::ports::{Papers, PortError};

const FOLDER: &str = "reveal-rate";
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// The places of one principal in this hour.
pub(super) struct Rate<'a> {
    papers: &'a dyn Papers,
    of_principal: String,
    hour: i64,
}

impl<'a> Rate<'a> {
    pub(super) fn of(papers: &'a dyn Papers, (tenant, principal): (&str, &str), now: Timestamp) -> Self {
        let of_principal = format!("{FOLDER}/{}/{}", ObjectName::label(tenant), ObjectName::label(principal));
        Self { papers, of_principal, hour: now.micros().div_euclid(MICROS_PER_HOUR) }
    }

    /// Takes places; says whether there were as many.
    pub(super) async fn take(&self, wanted: usize, per_hour: u32, attempt: &str) -> Result<bool, PortError> {
        let mut taken = 0;
        for place in 0..per_hour {
            if taken == wanted {
                break;
            }
            if self.papers.put_new(&self.name(place), attempt.into()).await? {
                taken = taken.saturating_add(1);
            }
        }
        if taken > 0 {
            self.forget_earlier_hours().await?;
        }
        Ok(taken == wanted)
    }

    fn name(&self, place: u32) -> String {
        format!("{}/{}/{place}", self.of_principal, self.hour)
    }

    async fn forget_earlier_hours(&self) -> Result<(), PortError> {
        for name in self.papers.list(&self.of_principal).await? {
            let hour = name.strip_prefix(&self.of_principal).and_then(|rest| rest.split('/').nth(1)).and_then(|hour| hour.parse().ok());
            if hour.is_some_and(|hour: i64| hour < self.hour) {
                self.papers.delete(&name).await?;
            }
        }
        Ok(())
    }
}
