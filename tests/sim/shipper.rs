//! A model of the shipper: journal to broker, at least once. It moves on only when the broker answered, and after a restart it
//! begins where the journal begins, so records reach the broker twice; that is what high-water marks are for.

use custody_log::{ReadError, SegmentReader};
use custody_types::LogPosition;

use crate::{broker::Broker, weather::Weather};

pub struct Shipper {
    reader: SegmentReader,
    /// The broker's partition of this journal: chosen once, so that adding partitions splits no source.
    partition: usize,
    next: LogPosition,
}

impl Shipper {
    pub fn start(mut reader: SegmentReader, partition: usize) -> Result<Self, ReadError> {
        let next = reader.first()?;
        Ok(Self { reader, partition, next })
    }

    /// Ships a few records and says how far the broker has acknowledged. Errors are tried again.
    pub fn step(&mut self, broker: &Broker, weather: &Weather) -> Option<LogPosition> {
        self.reader.seek(self.next);
        let records = self.reader.read(1 << 10).ok()?;
        let lost_from = if weather.strikes("ship") { weather.dice.below(records.len() as u64 + 1) as usize } else { records.len() };
        let mut records_to_ship = records.iter().map(|frame| frame.record.clone());
        records_to_ship.by_ref().take(lost_from).for_each(|record| broker.append(self.partition, record));
        // Whether the rest is lost, or only late.
        if lost_from < records.len() && weather.dice.per_mille(500) {
            broker.send_late(self.partition, records_to_ship.collect());
        }
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
