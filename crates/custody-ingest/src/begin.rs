//! Resume: what the table remembers, checked against each partition of the log, and each set to the right place.

use custody_lake::{TableState, TableStore};
use custody_log::{LogReader, ReadError};
use custody_types::{LogPosition, LogRecord};

use crate::{Alarm, Anchor, Decode, EventLookup, IngestConfig, IngestError, IngestObserver, KeyedRows, Resume, ledger, sequence::Marks};

/// A record that the log has comes within so many waits; how long that takes is the network's.
const WAITS_FOR_A_RECORD: u32 = 40;

/// Where ingest stands between two commits.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// One for each partition, in the order of the logs.
    pub places: Vec<Place>,
    /// The high-water marks as the table has them.
    pub marks: Marks,
}

/// Where ingest stands in one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The position transaction as the table has it; a commit is made only while it is still this.
    pub stored_version: Option<i64>,
    /// The same as a position.
    pub stored: LogPosition,
    /// The record that must come next; unknown at the start of reading again.
    pub expected: Option<LogPosition>,
    reread_until: LogPosition,
}

impl Place {
    /// Whether the log is being read again because it is not the one that was stored.
    pub fn is_rereading(&self) -> bool {
        self.expected.is_none_or(|expected| expected < self.reread_until)
    }

    /// The place after a batch landed.
    pub const fn after(self, stored: LogPosition, version: i64) -> Self {
        Self { stored_version: Some(version), stored, expected: Some(stored), reread_until: self.reread_until }
    }
}

/// What resuming asks.
pub(crate) struct Asked<'a, D, E> {
    pub decoder: &'a mut D,
    pub events: &'a E,
    pub lookup: &'a dyn EventLookup,
    pub observer: &'a dyn IngestObserver,
    pub config: &'a IngestConfig,
}

/// Asks the table once for all partitions, compares each one's last stored record with it, decides (see [`Resume`]) and seeks.
pub(crate) async fn begin<L: LogReader, D: Decode, E: TableStore>(
    logs: &mut [L],
    mut asked: Asked<'_, D, E>,
) -> Result<Standing, IngestError> {
    loop {
        let table = asked.events.snapshot().await?;
        let Some(resumes) = decide_all(logs, &mut asked, &table).await? else { continue };
        let mut places = Vec::with_capacity(logs.len());
        for (log, resume) in logs.iter_mut().zip(resumes) {
            places.push(follow(resume, log, asked.observer, version_in(&table, log)).await?);
        }
        return Ok(Standing { places, marks: ledger::marks_of(&table.transactions) });
    }
}

fn version_in<L: LogReader>(table: &TableState, log: &L) -> Option<i64> {
    table.transactions.get(&ledger::position_id(&log.partition())).copied()
}

/// What to do in each partition; nothing where an alarm would be raised on a table that has moved on.
async fn decide_all<L: LogReader, D: Decode, E: TableStore>(
    logs: &mut [L],
    asked: &mut Asked<'_, D, E>,
    table: &TableState,
) -> Result<Option<Vec<Resume>>, IngestError> {
    let mut resumes = Vec::with_capacity(logs.len());
    for log in logs {
        let stored_version = version_in(table, log);
        let stored = stored_version.map(ledger::position_of);
        let anchor = match stored.filter(|stored| *stored > LogPosition::START) {
            Some(stored) => find_anchor(log, asked, stored).await?,
            None => Anchor::Later(log.bounds().await?.first),
        };
        let resume = Resume::decide(stored, anchor);
        // Between the two looks another ingest may have stored records and the log forgotten them: no alarm on an old snapshot.
        let is_alarming = !matches!(resume, Resume::Continue(_));
        if is_alarming && version_in(&asked.events.snapshot().await?, log) != stored_version {
            return Ok(None);
        }
        resumes.push(resume);
    }
    Ok(Some(resumes))
}

/// Seeks, and says which record must come next and until where the log is read again.
async fn follow<L: LogReader>(
    resume: Resume,
    log: &mut L,
    observer: &dyn IngestObserver,
    stored_version: Option<i64>,
) -> Result<Place, IngestError> {
    let stored = stored_version.map(ledger::position_of).unwrap_or_default();
    let (seek, expected, reread_until) = match resume {
        Resume::Continue(stored) => (stored, Some(stored), LogPosition::START),
        Resume::Skip { stored, first } => (first, Some(stored), LogPosition::START),
        Resume::Reread(mismatch) => {
            observer.alarm(&Alarm::LogDiffers { partition: log.partition(), mismatch, stored });
            (log.bounds().await?.first, None, stored)
        }
    };
    log.seek(seek);
    Ok(Place { stored_version, stored, expected, reread_until })
}

async fn find_anchor<L: LogReader, D: Decode, E>(
    log: &mut L,
    asked: &mut Asked<'_, D, E>,
    stored: LogPosition,
) -> Result<Anchor, IngestError> {
    let last_stored = LogPosition::new(stored.get().saturating_sub(1));
    let bounds = log.bounds().await?;
    if bounds.first > last_stored {
        return Ok(Anchor::Later(bounds.first));
    }
    if bounds.end <= last_stored {
        return Ok(Anchor::Nothing);
    }
    log.seek(last_stored);
    match next_record(log, asked.config).await {
        Ok(record) if record.position >= stored => Ok(Anchor::Later(record.position)),
        Ok(record) => compare(&record, asked, &log.partition()).await,
        Err(IngestError::Log(ReadError::Truncated { first, .. })) => Ok(Anchor::Later(first)),
        Err(error) => Err(error),
    }
}

async fn next_record<L: LogReader>(log: &mut L, config: &IngestConfig) -> Result<LogRecord, IngestError> {
    for _ in 0..WAITS_FOR_A_RECORD {
        if let Some(record) = log.read(1, config.read_wait).await?.into_iter().next() {
            return Ok(record);
        }
    }
    Err(IngestError::Withheld { position: log.position() })
}

async fn compare<D: Decode, E>(record: &LogRecord, asked: &mut Asked<'_, D, E>, partition: &str) -> Result<Anchor, IngestError> {
    let (rows, _) = asked.decoder.decode(partition, std::slice::from_ref(record));
    let Some(key) = rows.keys().into_iter().next() else { return Ok(Anchor::Same) };
    let place = record.seq.get();
    let stored = asked.lookup.event_ids_at(record.source, place..=place).await?;
    let is_forgotten = stored.is_empty() && asked.lookup.may_forget();
    let same = is_forgotten || stored.iter().any(|(_, event_id)| *event_id == key.event_id);
    Ok(if same { Anchor::Same } else { Anchor::Other })
}
