//! What becomes of one partition's records before the commit: rows, dead letters, duplicates, and the place after them.

use custody_lake::{RowKey, TableStore};
use custody_log::LogReader;
use custody_types::LogRecord;

use crate::{
    Decode, FoundLetters, IngestError, IngestParts,
    begin::{Place, Standing},
    bury::{Burial, bury},
    commit::Step,
    dedupe::drop_duplicates,
    inspect::inspect,
    ledger,
    sequence::Marks,
};

/// What a batch has of one partition.
pub(crate) struct PartitionBatch<'a> {
    /// Its place among this ingest's partitions.
    pub index: usize,
    /// Its name.
    pub partition: &'a str,
    /// Where ingest stands in it.
    pub place: &'a Place,
    /// Its records, in order.
    pub records: &'a [LogRecord],
}

/// What became of a batch's records so far.
#[derive(Debug)]
pub(crate) struct Settled {
    /// One for each partition that had records.
    pub steps: Vec<Step>,
    /// The marks after them.
    pub marks: Marks,
    /// Records that the lake had.
    pub duplicates: usize,
    /// Rows at places seen before that the lake did not have when it was asked.
    pub kept_suspects: Vec<RowKey>,
    /// Records that are no events.
    pub dead_letters: usize,
}

impl Settled {
    /// Nothing yet.
    pub fn on(standing: &Standing) -> Self {
        Self { steps: Vec::new(), marks: standing.marks.clone(), duplicates: 0, kept_suspects: Vec::new(), dead_letters: 0 }
    }

    /// Decode, dead letters, duplicates and holes of one partition; its rows are to be committed.
    pub async fn take<L, D, E, P>(&mut self, batch: PartitionBatch<'_>, parts: &mut IngestParts<L, D, E, P>) -> Result<D::Rows, IngestError>
    where
        L: LogReader,
        D: Decode,
        E: TableStore<Rows = D::Rows>,
        P: TableStore,
        P::Rows: From<FoundLetters>,
    {
        let PartitionBatch { index, partition, place, records } = batch;
        let (observer, lookup) = (parts.observer.as_ref(), parts.lookup.as_ref());
        let found_at = parts.clock.now();
        let inspection = inspect(partition, records, place, &mut self.marks, observer);

        let (mut rows, letters) = parts.decoder.decode(partition, records);
        let found = FoundLetters { partition: partition.to_owned(), found_at, letters };
        let commit_id = *parts.ids.event_id().as_uuid();
        let burial = Burial { found, next: inspection.next, again: place.is_rereading(), commit_id };
        self.dead_letters += bury(&parts.dead_letters, burial).await?;
        let judged = drop_duplicates(&mut rows, &inspection.suspects, lookup, observer).await?;
        self.duplicates += judged.duplicates;
        self.kept_suspects.extend(judged.kept);
        self.steps.push(Step { index, partition: partition.to_owned(), before: place.stored_version, next: inspection.next });
        Ok(rows)
    }

    /// Where ingest stands once the commit landed.
    pub fn moved(self, mut standing: Standing) -> Standing {
        for step in &self.steps {
            if let Some(place) = standing.places.get_mut(step.index) {
                *place = place.after(step.next, ledger::version_of(step.next));
            }
        }
        standing.marks = self.marks;
        standing
    }
}
