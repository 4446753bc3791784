//! What the tests of this crate share.

mod lakes;
mod meddling;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use bytes::Bytes;
use custody_event::{EVENT_SCHEMA_JSON, Encoder, Event, SchemaTree};
use custody_testkit::events::sample_events;
use custody_types::{Clock, EventId, IdSource, JournalId, LogPosition, LogRecord, RequestId, Seq, Source, Timestamp};
use uuid::Uuid;

pub(crate) use self::{
    lakes::{TestLake, on_folder_and_s3},
    meddling::{Meddle, meddling},
};
use crate::{
    DeltaStore, TableStore,
    columns::table_columns,
    decode::EventRows,
    error::{CommitError, StoreError},
    schemas::Schemas,
    table::{LakeRows, TableDefinition},
};

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

/// Records from a position on, whose events are all of one day.
pub(crate) fn records_of_day(seed: u64, from: u64, count: usize) -> (Vec<LogRecord>, Vec<Event>) {
    let mut events = sample_events(seed, count);
    for (place, event) in (0_i64..).zip(&mut events) {
        event.time = Timestamp::from_micros(1_700_000_000_000_000 + (place * 7919) % 61);
        let mut envelope = (*event.envelope).clone();
        envelope.tenant = format!("tenant-{}", (place + 7 * i64::try_from(seed).unwrap()) % 5).into();
        event.envelope = envelope.into();
    }
    let mut records = records(&events);
    for record in &mut records {
        record.position = LogPosition::new(record.position.get() + from);
        record.seq = Seq::new(record.seq.get() + from);
    }
    (records, events)
}

/// A clock that stands still.
pub(crate) struct Still(pub(crate) Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
    fn monotonic_micros(&self) -> u64 {
        0
    }
}

pub(crate) static LATER: LazyLock<(String, SchemaTree)> = LazyLock::new(|| {
    let of_outcome = "{ \"name\": \"class\", \"type\": \"string\"";
    let more_in_outcome =
        format!("{{ \"name\": \"appeal\", \"type\": [\"null\", \"string\"], \"field-id\": 799, \"default\": null }}, {of_outcome}");
    let more = "\"fields\": [ { \"name\": \"residency\", \"type\": [\"null\", \"string\"], \"field-id\": 22, \"default\": null },";
    let later = EVENT_SCHEMA_JSON.replacen(of_outcome, &more_in_outcome, 1).replacen("\"fields\": [", more, 1);
    let tree = SchemaTree::parse(&later).unwrap();
    (later, tree)
});

pub(crate) fn later_schemas() -> Schemas {
    Schemas::new(&[EVENT_SCHEMA_JSON], &LATER.0).unwrap()
}

/// Rows as a later version of this program has them: one more column in the envelope and one in a kind.
pub(crate) struct LaterRows(pub(crate) Vec<RecordBatch>);

impl LakeRows for LaterRows {
    fn definition() -> TableDefinition {
        static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| table_columns(&later_schemas()).unwrap());
        TableDefinition { columns: COLUMNS.clone(), ..EventRows::definition() }
    }

    fn into_batches(self) -> Result<Vec<RecordBatch>, StoreError> {
        Ok(self.0)
    }
}

/// A batch through a table's port: rows and the position after them, in one commit.
pub(crate) async fn append<R: LakeRows>(store: &DeltaStore<R>, rows: R, next: u64) -> u64 {
    let staged = store.stage(rows).await.unwrap();
    loop {
        let state = store.snapshot().await.unwrap();
        match store.commit(&state, staged.clone(), &position(next), Uuid::from_u128(next.into())).await {
            Ok(version) => return version,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The transaction that says up to where a partition is stored.
pub(crate) fn position(next: u64) -> Vec<(String, i64)> {
    vec![(format!("custody/position/{PARTITION}"), i64::try_from(next).unwrap())]
}
