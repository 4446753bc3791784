//! What the tests of this crate share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use custody_event::{Encoder, Event};
use custody_types::{Clock, EventId, IdSource, JournalId, LogPosition, LogRecord, RequestId, Seq, Source, Timestamp};
use uuid::Uuid;

pub(crate) const PARTITION: &str = "journal/00000000-0000-0000-0000-000000000007";

pub(crate) struct Counter(AtomicU64);

impl Counter {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Clock for Counter {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000)
    }
    fn monotonic_micros(&self) -> u64 {
        self.next()
    }
}

impl IdSource for Counter {
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(Uuid::from_u128(self.next().into()))
    }
    fn event_id(&self) -> EventId {
        EventId::from_uuid(Uuid::from_u128(self.next().into()))
    }
}

/// A clock and an id source; each test has its own start, so that file names differ between stores of one test.
pub(crate) fn tools(start: u64) -> (Arc<dyn Clock>, Arc<dyn IdSource>) {
    let counter = Arc::new(Counter(AtomicU64::new(start << 32)));
    (counter.clone(), counter)
}

pub(crate) fn source() -> Source {
    Source { journal: JournalId::from_uuid(Uuid::from_u128(7)), epoch: 1 }
}

pub(crate) fn record(position: u64, payload: impl Into<Bytes>) -> LogRecord {
    LogRecord {
        position: LogPosition::new(position),
        source: source(),
        seq: Seq::new(position + 1),
        payload: payload.into(),
        damaged: false,
    }
}

/// Events as the log would hold them, from position 0.
pub(crate) fn records(events: &[Event]) -> Vec<LogRecord> {
    let mut encoder = Encoder::new().unwrap();
    (0..).zip(events).map(|(position, event)| record(position, encoder.encode(event).unwrap())).collect()
}
