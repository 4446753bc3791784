//! Hands a staged batch over to the table: rows and positions in one commit, or neither.
//!
//! Delta records transactions but does not compare them with what was there. That check is made here, on the very snapshot that
//! the commit is made on; the store refuses a commit whose snapshot is stale. So of two ingests of one partition, or of a commit
//! thought lost and its repetition, one lands and the other learns of it.
//!
//! The positions do not tell of rows that came another way: a parked text may become a row after the lake was asked about its second
//! copy. So suspects that were kept are looked for again, at this snapshot or later: what is not there is not at the version either that
//! the commit is made on.

use custody_lake::{CommitError, RowKey, TableState, TableStore};
use custody_types::LogPosition;
use uuid::Uuid;

use crate::{Alarm, EventLookup, Fate, IngestError, IngestObserver, dedupe::is_any_stored, ledger};

/// Every other instance's commit, and compaction's, can come first once; beyond that something is wrong.
const TRIES: u32 = 20;

/// What the commit says beside the rows.
pub(crate) struct Handover {
    /// The partitions whose position it moves.
    pub steps: Vec<Step>,
    /// The positions and the marks after the batch.
    pub transactions: Vec<(String, i64)>,
    /// By which the commit is found when the answer is lost.
    pub commit_id: Uuid,
    /// Rows at places seen before, which the lake did not have.
    pub kept_suspects: Vec<RowKey>,
}

/// One partition's position.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Its place among this ingest's partitions.
    pub index: usize,
    /// The log partition.
    pub partition: String,
    /// The position transaction that this batch continues.
    pub before: Option<i64>,
    /// The place after the batch.
    pub next: LogPosition,
}

impl Step {
    fn now(&self, table: &TableState) -> Option<i64> {
        table.transactions.get(&ledger::position_id(&self.partition)).copied()
    }
}

/// Commits, and finds out what became of it where the store does not say.
pub(crate) async fn hand_over<E: TableStore>(
    store: &E,
    staged: E::Staged,
    handover: &Handover,
    lookup: &dyn EventLookup,
    observer: &dyn IngestObserver,
) -> Result<Fate, IngestError> {
    let mut first_tried_on = None;
    for _ in 0..TRIES {
        let table = store.snapshot().await?;
        let found = match first_tried_on {
            Some(version) => store.find_commit(handover.commit_id, version).await?.is_some(),
            None => false,
        };
        let as_before = handover.steps.iter().all(|step| step.now(&table) == step.before);
        let as_written = handover.steps.iter().all(|step| step.now(&table) == Some(ledger::version_of(step.next)));
        match Fate::decide(found, as_before, as_written) {
            Fate::Landed => return Ok(Fate::Landed),
            Fate::Overtaken => {
                tell_overtaken(&handover.steps, &table, observer);
                return Ok(Fate::Overtaken);
            }
            Fate::NotLanded => {}
        }
        if is_any_stored(&handover.kept_suspects, lookup).await? {
            return Ok(Fate::Overtaken);
        }
        first_tried_on.get_or_insert(table.version);
        match store.commit(&table, staged.clone(), &handover.transactions, handover.commit_id).await {
            Ok(_) => return Ok(Fate::Landed),
            Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => {}
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
    }
    Err(IngestError::Contended { tries: TRIES })
}

fn tell_overtaken(steps: &[Step], table: &TableState, observer: &dyn IngestObserver) {
    if let Some(step) = steps.iter().find(|step| step.now(table) != step.before) {
        let (before, now) = (step.before, step.now(table));
        observer.alarm(&Alarm::Overtaken { partition: step.partition.clone(), before, now });
    }
}
