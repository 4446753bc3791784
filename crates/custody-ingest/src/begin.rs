//! Resume: what the table remembers, checked against the log, and the log set to the right place.

use std::time::Duration;

use custody_lake::TableStore;
use custody_log::{LogReader, ReadError};
use custody_types::{LogPosition, LogRecord};

use crate::{Alarm, Anchor, Decode, EventLookup, IngestConfig, IngestError, IngestObserver, KeyedRows, Resume, ledger, sequence::Marks};

/// Where ingest stands between two commits.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The position transaction as the table has it; a commit is made only while it is still this.
    pub stored_version: Option<i64>,
    /// The same as a position.
    pub stored: LogPosition,
    /// The record that must come next; unknown at the start of reading again.
    pub expected: Option<LogPosition>,
    /// The high-water marks as the table has them.
    pub marks: Marks,
    reread_until: LogPosition,
}

impl Place {
    /// Whether the log is being read again because it is not the one that was stored.
    pub fn is_rereading(&self) -> bool {
        self.expected.is_none_or(|expected| expected < self.reread_until)
    }

    /// The place after a batch landed.
    pub fn after(self, stored: LogPosition, marks: Marks) -> Self {
        let stored_version = Some(ledger::version_of(stored));
        Self { stored_version, stored, expected: Some(stored), marks, reread_until: self.reread_until }
    }
}

/// Asks the table, compares the log's last stored record with it, decides (see [`Resume`]) and seeks.
pub(crate) async fn begin<L: LogReader, D: Decode, E: TableStore>(
    log: &mut L,
    decoder: &mut D,
    events: &E,
    lookup: &dyn EventLookup,
    observer: &dyn IngestObserver,
    config: &IngestConfig,
) -> Result<Place, IngestError> {
    let position_id = ledger::position_id(&log.partition());
    loop {
        let table = events.snapshot().await?;
        let stored_version = table.transactions.get(&position_id).copied();
        let stored = stored_version.map(ledger::position_of);
        let anchor = match stored.filter(|stored| *stored > LogPosition::START) {
            Some(stored) => find_anchor(log, decoder, lookup, config, stored).await?,
            None => Anchor::Later(first_kept(log).await?),
        };
        let resume = Resume::decide(stored, anchor);
        // Between the two looks another ingest may have stored records and the log forgotten them: no alarm on an old snapshot.
        let is_alarming = !matches!(resume, Resume::Continue(_));
        if is_alarming && events.snapshot().await?.transactions.get(&position_id).copied() != stored_version {
            continue;
        }
        let marks = ledger::marks_of(&table.transactions);
        let (seek, expected, reread_until) = follow(resume, log, observer, stored.unwrap_or_default()).await?;
        log.seek(seek);
        return Ok(Place { stored_version, stored: stored.unwrap_or_default(), expected, marks, reread_until });
    }
}

/// Where to seek, which record must come next, and until where the log is read again.
async fn follow<L: LogReader>(
    resume: Resume,
    log: &mut L,
    observer: &dyn IngestObserver,
    stored: LogPosition,
) -> Result<(LogPosition, Option<LogPosition>, LogPosition), IngestError> {
    Ok(match resume {
        Resume::Continue(stored) => (stored, Some(stored), LogPosition::START),
        Resume::Skip { stored, first } => (first, Some(stored), LogPosition::START),
        Resume::Reread(mismatch) => {
            observer.alarm(&Alarm::LogDiffers { mismatch, stored });
            (first_kept(log).await?, None, stored)
        }
    })
}

/// The first record that the log still gives, or its start where it has none yet.
async fn first_kept<L: LogReader>(log: &mut L) -> Result<LogPosition, IngestError> {
    log.seek(LogPosition::START);
    match log.read(1, Duration::ZERO).await {
        Ok(records) => Ok(records.first().map_or(LogPosition::START, |record| record.position)),
        Err(ReadError::Truncated { first, .. }) => Ok(first),
        Err(error) => Err(error.into()),
    }
}

async fn find_anchor<L: LogReader, D: Decode>(
    log: &mut L,
    decoder: &mut D,
    lookup: &dyn EventLookup,
    config: &IngestConfig,
    stored: LogPosition,
) -> Result<Anchor, IngestError> {
    log.seek(LogPosition::new(stored.get().saturating_sub(1)));
    let records = match log.read(1, config.read_wait).await {
        Ok(records) => records,
        Err(ReadError::Truncated { first, .. }) => return Ok(Anchor::Later(first)),
        Err(error) => return Err(error.into()),
    };
    match records.first() {
        None => Ok(Anchor::Nothing),
        Some(record) if record.position >= stored => Ok(Anchor::Later(record.position)),
        Some(record) => compare(record, decoder, lookup, &log.partition()).await,
    }
}

async fn compare<D: Decode>(record: &LogRecord, decoder: &mut D, lookup: &dyn EventLookup, partition: &str) -> Result<Anchor, IngestError> {
    let (rows, _) = decoder.decode(partition, std::slice::from_ref(record));
    let Some(key) = rows.keys().into_iter().next() else { return Ok(Anchor::Same) };
    let place = record.seq.get();
    let stored = lookup.event_ids_at(record.source, place..=place).await?;
    let same = stored.iter().any(|(_, event_id)| *event_id == key.event_id);
    Ok(if same { Anchor::Same } else { Anchor::Other })
}
