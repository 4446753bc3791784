//! The loop, one page: what happens to a batch from the log to the table, in order.

use std::sync::Arc;

use custody_lake::TableStore;
use custody_log::LogReader;
use custody_types::{Clock, Fault, IdSource, LogPosition, Retry};
use tokio::sync::watch;

use crate::{
    Acknowledge, BatchCommitted, Decode, EventLookup, Fate, FoundLetters, IngestConfig, IngestError, IngestObserver, KeyedRows,
    begin::{Asked, Standing, begin},
    commit::{Handover, hand_over},
    gather::{Batch, Gatherer},
    ledger,
    settle::{PartitionBatch, Settled},
};

/// Everything ingest stands on.
pub struct IngestParts<L, D, E, P> {
    /// The partitions of the log that are this ingest's; at least one.
    pub logs: Vec<L>,
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

/// Moves partitions of a log into the lake, exactly once: one commit carries what all of them have.
pub struct Ingest<L, D, E, P> {
    parts: IngestParts<L, D, E, P>,
    config: IngestConfig,
    partitions: Vec<String>,
    gatherer: Gatherer,
    standing: Option<Standing>,
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
        let partitions = parts.logs.iter().map(LogReader::partition).collect();
        Self { parts, config, partitions, gatherer: Gatherer::default(), standing: None }
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
        let standing = match self.standing.take() {
            Some(standing) => standing,
            None => self.resume().await?,
        };
        let IngestParts { logs, clock, .. } = &mut self.parts;
        let batch = self.gatherer.gather(logs, clock.as_ref(), &self.config, stop).await?;
        if batch.is_empty() && batch.lost_place {
            return Ok(Turn::Rewound);
        }
        if batch.is_empty() {
            self.standing = Some(standing);
            return Ok(Turn::Idle);
        }
        let (turn, standing) = self.store(&batch, standing).await?;
        self.standing = standing.filter(|_| !batch.lost_place);
        Ok(turn)
    }

    /// Fresh snapshot, positions and marks, seek.
    async fn resume(&mut self) -> Result<Standing, IngestError> {
        let IngestParts { logs, decoder, events, lookup, observer, .. } = &mut self.parts;
        let asked = Asked { decoder, events, lookup: lookup.as_ref(), observer: observer.as_ref(), config: &self.config };
        let standing = begin(logs, asked).await?;
        let stored: Vec<_> = self.partitions.iter().cloned().zip(standing.places.iter().map(|place| place.stored)).collect();
        self.parts.observer.resumed(&stored);
        for (partition, place) in &stored {
            self.forget_before(partition, *place);
        }
        Ok(standing)
    }

    /// Settle each partition's records, stage all rows, commit, acknowledge.
    async fn store(&mut self, batch: &Batch, standing: Standing) -> Result<(Turn, Option<Standing>), IngestError> {
        let mut settled = Settled::on(&standing);
        let mut rows: Option<D::Rows> = None;
        let of_partitions = self.partitions.iter().zip(&standing.places).zip(&batch.records).enumerate();
        for (index, ((partition, place), records)) in of_partitions.filter(|(_, (_, records))| !records.is_empty()) {
            let found = settled.take(PartitionBatch { index, partition, place, records }, &mut self.parts).await?;
            match &mut rows {
                Some(rows) => rows.append(found),
                None => rows = Some(found),
            }
        }
        let Some(rows) = rows else { return Ok((Turn::Idle, Some(standing))) };
        let stored_rows = rows.count();
        let fate = self.commit(rows, &standing, &settled).await?;
        if fate != Fate::Landed {
            return Ok((Turn::Rewound, None));
        }
        self.report(batch, &settled, stored_rows);
        for step in &settled.steps {
            self.forget_before(&step.partition, step.next);
        }
        Ok((Turn::Committed, Some(settled.moved(standing))))
    }

    /// Stage, position check, commit.
    async fn commit(&self, rows: D::Rows, standing: &Standing, settled: &Settled) -> Result<Fate, IngestError> {
        let parts = &self.parts;
        let positions = settled.steps.iter().map(|step| (step.partition.as_str(), step.next));
        let transactions = ledger::transactions(positions, &standing.marks, &settled.marks);
        let commit_id = *parts.ids.event_id().as_uuid();
        let (steps, kept_suspects) = (settled.steps.clone(), settled.kept_suspects.clone());
        let handover = Handover { steps, transactions, commit_id, kept_suspects };
        let staged = parts.events.stage(rows).await?;
        hand_over(&parts.events, staged, &handover, parts.lookup.as_ref(), parts.observer.as_ref()).await
    }

    fn report(&self, batch: &Batch, settled: &Settled, rows: usize) {
        let age_micros = self.parts.clock.monotonic_micros().saturating_sub(batch.since);
        let stored = settled.steps.iter().map(|step| (step.partition.clone(), step.next)).collect();
        let Settled { duplicates, dead_letters, .. } = *settled;
        let (records, bytes) = (batch.count, batch.bytes);
        self.parts.observer.committed(&BatchCommitted { stored, records, bytes, rows, duplicates, dead_letters, age_micros });
    }

    /// The log may forget what is stored, but for the last stored record: a restart compares it with the lake.
    fn forget_before(&self, partition: &str, stored: LogPosition) {
        let last_stored = LogPosition::new(stored.get().saturating_sub(1));
        self.parts.acknowledge.acknowledge(partition, last_stored);
    }
}
