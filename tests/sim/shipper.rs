//! A model of the shipper: journal to broker, at least once. It moves on only when the broker answered, and after a restart it
//! begins where the journal begins, so records reach the broker twice; that is what high-water marks are for.

use custody_log::{ReadError, SegmentReader};
use custody_types::LogPosition;

use crate::{ports::Broker, weather::Weather};

pub struct Shipper {
    reader: SegmentReader,
    next: LogPosition,
}

impl Shipper {
    pub fn start(mut reader: SegmentReader) -> Result<Self, ReadError> {
        let next = reader.first()?;
        Ok(Self { reader, next })
    }

    /// Ships a few records and says how far the broker has acknowledged. Errors are tried again.
    pub fn step(&mut self, broker: &Broker, weather: &Weather) -> Option<LogPosition> {
        self.reader.seek(self.next);
        let records = self.reader.read(1 << 10).ok()?;
        let lost_from = if weather.strikes("ship") { weather.dice.below(records.len() as u64 + 1) as usize } else { records.len() };
        let shipped = records.iter().take(lost_from);
        shipped.for_each(|frame| broker.append(frame.record.clone()));
        let unheard = weather.strikes("ship acknowledgement");
        if unheard || lost_from < records.len() {
            return None;
        }
        self.next = records.last().map_or(self.next, |frame| frame.record.position.next());
        Some(self.next)
    }

    pub const fn next(&self) -> LogPosition {
        self.next
    }
}
