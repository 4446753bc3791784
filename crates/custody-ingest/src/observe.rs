//! What ingest reports: progress, and alarms that a person must look at. One struct a fact; counter and log line live together.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use custody_types::{LogPosition, Seq, Source};

use crate::resume::Mismatch;

/// Takes what ingest reports.
pub trait IngestObserver: Send + Sync {
    /// It goes on from what the table says, in these partitions and no others.
    fn resumed(&self, stored: &[(String, LogPosition)]);
    /// A batch is in the table.
    fn committed(&self, batch: &BatchCommitted);
    /// Something that must not happen did.
    fn alarm(&self, alarm: &Alarm);
    /// Something failed that is tried again.
    fn failed(&self, error: &crate::IngestError);
}

/// A batch is in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCommitted {
    /// Per partition that had records, the place before which every record is stored.
    pub stored: Vec<(String, LogPosition)>,
    /// Records of the batch.
    pub records: usize,
    /// Their payload bytes.
    pub bytes: usize,
    /// Those that were stored as rows.
    pub rows: usize,
    /// Those that were dropped because the lake had them.
    pub duplicates: usize,
    /// Those that became dead letters.
    pub dead_letters: usize,
    /// Time from the first record's arrival to the commit.
    pub age_micros: u64,
}

/// Something that must not happen did. Rows are kept in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// The log no longer has records that were never stored.
    RecordsMissing {
        /// The log partition.
        partition: String,
        /// The first place that is missing.
        from: LogPosition,
        /// The next record that exists.
        to: LogPosition,
    },
    /// A source skipped places: proof of loss before the log, or of a lost tail.
    SequenceHole {
        /// The source.
        source: Source,
        /// The first record after the hole.
        found: Seq,
        /// How many are missing.
        missing: u64,
    },
    /// Two events under one source and place: two journals write under one name. Both are kept.
    ClonedJournal {
        /// The source.
        source: Source,
        /// The place.
        seq: Seq,
        /// The event that came second.
        event_id: String,
    },
    /// A record below the high-water mark that the lake does not have: a hole filled late.
    LateRecord {
        /// The source.
        source: Source,
        /// The place.
        seq: Seq,
    },
    /// The log is not the one that was stored; it is read again from its start.
    LogDiffers {
        /// The log partition.
        partition: String,
        /// How.
        mismatch: Mismatch,
        /// The stored position.
        stored: LogPosition,
    },
    /// The stored position was moved by another ingest, or by a commit of ours that landed late.
    Overtaken {
        /// The log partition.
        partition: String,
        /// What was stored when the batch was gathered.
        before: Option<i64>,
        /// What is stored now.
        now: Option<i64>,
    },
}

impl Alarm {
    /// The stable name, for a metric label and for tests.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RecordsMissing { .. } => "records_missing",
            Self::SequenceHole { .. } => "sequence_hole",
            Self::ClonedJournal { .. } => "cloned_journal",
            Self::LateRecord { .. } => "late_record",
            Self::LogDiffers { .. } => "log_differs",
            Self::Overtaken { .. } => "overtaken",
        }
    }
}

/// Counters of one ingest, and its log lines. Lag is the log's end minus `stored`. An alarm that repeats itself, as every record of a
/// cloned journal does, is logged the first, second, fourth, eighth … time: all are counted.
#[derive(Debug, Default)]
pub struct IngestMetrics {
    records: AtomicU64,
    bytes: AtomicU64,
    rows: AtomicU64,
    commits: AtomicU64,
    duplicates: AtomicU64,
    dead_letters: AtomicU64,
    failures: AtomicU64,
    holes: AtomicU64,
    missing: AtomicU64,
    clones: AtomicU64,
    other_alarms: AtomicU64,
    stored: Mutex<BTreeMap<String, LogPosition>>,
    alarms: Mutex<BTreeMap<&'static str, u64>>,
    last_age_micros: AtomicI64,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IngestFigures {
    /// Records read and settled.
    pub records: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Rows stored.
    pub rows: u64,
    /// Commits to the `events` table.
    pub commits: u64,
    /// Records dropped because the lake had them.
    pub duplicates: u64,
    /// Records that became dead letters.
    pub dead_letters: u64,
    /// Failures that were tried again.
    pub failures: u64,
    /// Holes found, in sequences and in the log.
    pub holes: u64,
    /// Records missing in those holes.
    pub missing: u64,
    /// Records that stand beside another event at the same place.
    pub clones: u64,
    /// Late records, logs that differ, overtaken commits.
    pub other_alarms: u64,
    /// Per log partition of this ingest, the place before which every record is stored; a partition is absent until the table was asked.
    pub stored: BTreeMap<String, LogPosition>,
    /// Age of the oldest record of the last commit when it landed, in microseconds: the freshness of the table.
    pub last_age_micros: i64,
}

impl IngestMetrics {
    /// The counters now.
    #[must_use]
    pub fn figures(&self) -> IngestFigures {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        IngestFigures {
            records: count(&self.records),
            bytes: count(&self.bytes),
            rows: count(&self.rows),
            commits: count(&self.commits),
            duplicates: count(&self.duplicates),
            dead_letters: count(&self.dead_letters),
            failures: count(&self.failures),
            holes: count(&self.holes),
            missing: count(&self.missing),
            clones: count(&self.clones),
            other_alarms: count(&self.other_alarms),
            stored: self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            last_age_micros: self.last_age_micros.load(Ordering::Relaxed),
        }
    }
}

impl IngestMetrics {
    /// How often this alarm was raised by now.
    fn count_alarm(&self, name: &'static str) -> u64 {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let times = alarms.entry(name).or_default();
        *times = times.saturating_add(1);
        *times
    }
}

fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(u64::try_from(amount).unwrap_or(u64::MAX), Ordering::Relaxed);
}

impl IngestObserver for IngestMetrics {
    fn resumed(&self, stored: &[(String, LogPosition)]) {
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = stored.iter().cloned().collect();
    }

    fn committed(&self, batch: &BatchCommitted) {
        add(&self.commits, 1);
        add(&self.records, batch.records);
        add(&self.bytes, batch.bytes);
        add(&self.rows, batch.rows);
        add(&self.duplicates, batch.duplicates);
        add(&self.dead_letters, batch.dead_letters);
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).extend(batch.stored.iter().cloned());
        self.last_age_micros.store(i64::try_from(batch.age_micros).unwrap_or(i64::MAX), Ordering::Relaxed);
        tracing::debug!(partitions = batch.stored.len(), rows = batch.rows, bytes = batch.bytes, "batch committed to the lake");
    }

    fn alarm(&self, alarm: &Alarm) {
        match alarm {
            Alarm::RecordsMissing { from, to, .. } => {
                add(&self.holes, 1);
                self.missing.fetch_add(to.get().saturating_sub(from.get()), Ordering::Relaxed);
            }
            Alarm::SequenceHole { missing, .. } => {
                add(&self.holes, 1);
                self.missing.fetch_add(*missing, Ordering::Relaxed);
            }
            Alarm::ClonedJournal { .. } => add(&self.clones, 1),
            Alarm::LateRecord { .. } | Alarm::LogDiffers { .. } | Alarm::Overtaken { .. } => add(&self.other_alarms, 1),
        }
        let times = self.count_alarm(alarm.name());
        if times.is_power_of_two() {
            tracing::error!(alarm = alarm.name(), times, detail = ?alarm, "ingest alarm");
        }
    }

    fn failed(&self, error: &crate::IngestError) {
        add(&self.failures, 1);
        tracing::warn!(error = error as &dyn std::error::Error, "ingest failed and tries again");
    }
}
