//! The loop, one page: what happens to a batch from the log to the table, in order.

use std::sync::Arc;

use custody_lake::TableStore;
use custody_log::LogReader;
use custody_types::{Clock, Fault, IdSource, LogPosition, Retry};
use tokio::sync::watch;

use crate::{
    Acknowledge, BatchCommitted, Decode, EventLookup, Fate, FoundLetters, IngestConfig, IngestError, IngestObserver, KeyedRows,
    begin::{Place, begin},
    bury::{Burial, bury},
    commit::{Handover, hand_over},
    dedupe::drop_duplicates,
    gather::{Batch, gather},
    inspect::inspect,
    ledger,
};

/// Everything ingest stands on.
pub struct IngestParts<L, D, E, P> {
    /// One partition of the log.
    pub log: L,
    /// Bytes to rows.
    pub decoder: D,
    /// The `events` table.
    pub events: E,
    /// The `dead_letters` table.
    pub dead_letters: P,
    /// What the `events` table holds at a place.
    pub lookup: Arc<dyn EventLookup>,
    /// Told what is stored.
    pub acknowledge: Box<dyn Acknowledge>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Commit ids.
    pub ids: Arc<dyn IdSource>,
    /// Takes reports.
    pub observer: Arc<dyn IngestObserver>,
}

/// Moves one log partition into the lake, exactly once.
pub struct Ingest<L, D, E, P> {
    parts: IngestParts<L, D, E, P>,
    config: IngestConfig,
    partition: String,
    place: Option<Place>,
}

/// What one turn of the loop did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There was nothing to read.
    Idle,
    /// A batch is in the table.
    Committed,
    /// The batch was dropped; the next turn resumes from the table.
    Rewound,
}

impl<L, D, E, P> Ingest<L, D, E, P>
where
    L: LogReader,
    D: Decode,
    E: TableStore<Rows = D::Rows>,
    P: TableStore,
    P::Rows: From<FoundLetters>,
{
    /// An ingest that has read nothing yet.
    pub fn new(config: IngestConfig, parts: IngestParts<L, D, E, P>) -> Self {
        let partition = parts.log.partition();
        Self { parts, config, partition, place: None }
    }

    /// Runs until `stop` says so, then stores what the log still has.
    ///
    /// # Errors
    /// What trying again does not mend; and, while stopping, whatever kept the last batch from the lake (it stays in the log).
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), IngestError> {
        loop {
            let turn = self.turn(&stop).await;
            let stopping = *stop.borrow();
            match turn {
                Ok(Turn::Idle) if stopping => return Ok(()),
                Ok(_) => {}
                Err(error) if stopping || error.retry() == Retry::Never => return Err(error),
                Err(error) => {
                    self.parts.observer.failed(&error);
                    let _ = tokio::time::timeout(self.config.retry_pause, stop.wait_for(|stop| *stop)).await;
                }
            }
        }
    }

    /// One batch. An error drops it: nothing is remembered that the table does not say.
    ///
    /// # Errors
    /// When the log or a table cannot be used at the moment.
    pub async fn turn(&mut self, stop: &watch::Receiver<bool>) -> Result<Turn, IngestError> {
        let place = match self.place.take() {
            Some(place) => place,
            None => self.resume().await?,
        };
        let batch = gather(&mut self.parts.log, self.parts.clock.as_ref(), &self.config, stop).await?;
        if batch.is_empty() && batch.lost_place {
            return Ok(Turn::Rewound);
        }
        if batch.is_empty() {
            self.place = Some(place);
            return Ok(Turn::Idle);
        }
        let (turn, place) = self.store(batch, place).await?;
        self.place = place;
        Ok(turn)
    }

    /// Fresh snapshot, position and marks, seek.
    async fn resume(&mut self) -> Result<Place, IngestError> {
        let IngestParts { log, decoder, events, lookup, observer, .. } = &mut self.parts;
        let place = begin(log, decoder, events, lookup.as_ref(), observer.as_ref(), &self.config).await?;
        self.forget_before(place.stored);
        Ok(place)
    }

    /// Decode, dead letters, duplicates and holes, stage, commit, acknowledge.
    async fn store(&mut self, batch: Batch, place: Place) -> Result<(Turn, Option<Place>), IngestError> {
        let parts = &mut self.parts;
        let now = parts.clock.now();
        let inspection = inspect(&batch.records, &place, parts.observer.as_ref());

        let (mut rows, letters) = parts.decoder.decode(&self.partition, &batch.records);
        let found = FoundLetters { partition: self.partition.clone(), found_at: now, letters };
        let commit_id = *parts.ids.event_id().as_uuid();
        let burial = Burial { found, next: inspection.next, again: place.is_rereading(), commit_id };
        let dead_letters = bury(&parts.dead_letters, burial).await?;
        let duplicates = drop_duplicates(&mut rows, &inspection.suspects, parts.lookup.as_ref(), parts.observer.as_ref()).await?;

        let stored_rows = rows.count();
        let handover = Handover {
            partition: &self.partition,
            before: place.stored_version,
            next: inspection.next,
            transactions: ledger::transactions(&self.partition, inspection.next, &place.marks, &inspection.marks),
            commit_id,
        };
        let staged = parts.events.stage(rows).await?;
        if hand_over(&parts.events, staged, &handover, parts.observer.as_ref()).await? != Fate::Landed {
            return Ok((Turn::Rewound, None));
        }

        let age_micros = parts.clock.monotonic_micros().saturating_sub(batch.since);
        let (records, bytes) = (batch.records.len(), batch.bytes);
        let stored = inspection.next;
        parts.observer.committed(&BatchCommitted { stored, records, bytes, rows: stored_rows, duplicates, dead_letters, age_micros });
        self.forget_before(stored);
        Ok((Turn::Committed, Some(place.after(stored, inspection.marks))))
    }

    /// The log may forget what is stored, but for the last stored record: a restart compares it with the lake.
    fn forget_before(&self, stored: LogPosition) {
        let last_stored = LogPosition::new(stored.get().saturating_sub(1));
        self.parts.acknowledge.acknowledge(last_stored);
    }
}
