//! Dead letters go to their own table, before the rows of their batch, with a position of their own.
//!
//! A letter is what stands at one place of the log, so the position in its table alone says whether it is there: letters below it
//! are left out, on the same snapshot that the commit is made on. That makes every repetition harmless, whatever became of the
//! last one.

use custody_lake::{CommitError, TableStore};
use custody_types::LogPosition;
use uuid::Uuid;

use crate::{FoundLetters, IngestError, ledger};

const TRIES: u32 = 5;

/// The letters of one batch.
pub(crate) struct Burial {
    /// The letters.
    pub found: FoundLetters,
    /// The place after the batch.
    pub next: LogPosition,
    /// Whether the log is read again under another history: a place below the position may then hold another letter, and one too
    /// many is better than one too few.
    pub again: bool,
    /// Names the commit.
    pub commit_id: Uuid,
}

/// Stores the letters that are not stored yet and says how many there were.
pub(crate) async fn bury<P>(store: &P, burial: Burial) -> Result<usize, IngestError>
where
    P: TableStore,
    P::Rows: From<FoundLetters>,
{
    if burial.found.letters.is_empty() {
        return Ok(0);
    }
    let position_id = ledger::position_id(&burial.found.partition);
    let transactions = [(position_id.clone(), ledger::version_of(burial.next))];
    for _ in 0..TRIES {
        let table = store.snapshot().await?;
        let stored = table.transactions.get(&position_id).copied().map(ledger::position_of).unwrap_or_default();
        let mut found = burial.found.clone();
        found.letters.retain(|letter| burial.again || letter.position >= stored);
        let count = found.letters.len();
        if count == 0 {
            return Ok(0);
        }
        let staged = store.stage(found.into()).await?;
        match store.commit(&table, staged, &transactions, burial.commit_id).await {
            Ok(_) => return Ok(count),
            Err(CommitError::Conflict { .. } | CommitError::Ambiguous { .. }) => {}
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
    }
    Err(IngestError::Contended { tries: TRIES })
}
