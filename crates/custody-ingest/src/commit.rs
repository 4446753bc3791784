//! Hands a staged batch over to the table: rows and positions in one commit, or neither.
//!
//! Delta records transactions but does not compare them with what was there. That check is made here, on the very snapshot that
//! the commit is made on; the store refuses a commit whose snapshot is stale. So of two ingests of one partition, or of a commit
//! thought lost and its repetition, one lands and the other learns of it.

use custody_lake::{CommitError, TableStore};
use custody_types::LogPosition;
use uuid::Uuid;

use crate::{Alarm, Fate, IngestError, IngestObserver, ledger};

const TRIES: u32 = 5;

/// What the commit says beside the rows.
pub(crate) struct Handover<'a> {
    /// The log partition.
    pub partition: &'a str,
    /// The position transaction that this batch continues.
    pub before: Option<i64>,
    /// The place after the batch.
    pub next: LogPosition,
    /// The position and the marks after the batch.
    pub transactions: Vec<(String, i64)>,
    /// By which the commit is found when the answer is lost.
    pub commit_id: Uuid,
}

/// Commits, and finds out what became of it where the store does not say.
pub(crate) async fn hand_over<E: TableStore>(
    store: &E,
    staged: E::Staged,
    handover: &Handover<'_>,
    observer: &dyn IngestObserver,
) -> Result<Fate, IngestError> {
    let position_id = ledger::position_id(handover.partition);
    let mut first_tried_on = None;
    for _ in 0..TRIES {
        let table = store.snapshot().await?;
        let found = match first_tried_on {
            Some(version) => store.find_commit(handover.commit_id, version).await?.is_some(),
            None => false,
        };
        let now = table.transactions.get(&position_id).copied();
        match Fate::decide(found, handover.before, ledger::version_of(handover.next), now) {
            Fate::Landed => return Ok(Fate::Landed),
            Fate::Overtaken => {
                observer.alarm(&Alarm::Overtaken { before: handover.before, now });
                return Ok(Fate::Overtaken);
            }
            Fate::NotLanded => {}
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
