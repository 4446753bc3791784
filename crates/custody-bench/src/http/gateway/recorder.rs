//! Where the gateway's events go: the journal as users have it, or nowhere.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use custody_gateway::{Ack, OpenRecord, Recorder, Unconfirmed};
use custody_log::{AppendError, Appended, FileDisk, Journal, JournalConfig, JournalStats};
use custody_types::{JournalId, LogPosition, Seq, Source};
use uuid::Uuid;

const CONSUMER: &str = "bench";
const JOURNAL: JournalId = JournalId::from_uuid(Uuid::from_u128(17));

/// A journal on disk, with a consumer that keeps up, so that old segments go; `reserve` bytes are kept free for closing each request,
/// where they are not as many as the journal's own measure.
pub fn durable(folder: &Path, reserve: Option<u64>) -> Result<Arc<dyn Recorder>> {
    let mut config = JournalConfig::new(JOURNAL);
    config.consumers = vec![CONSUMER.to_owned()];
    config.outcome_reserve_bytes = reserve.unwrap_or(config.outcome_reserve_bytes);
    let (journal, _) = Journal::open(config, Arc::new(FileDisk::open(folder)?))?;
    let followed = journal.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            followed.set_floor(CONSUMER, followed.stats().durable);
        }
    });
    Ok(Arc::new(journal))
}

/// Takes everything and keeps nothing: what the gateway costs without its audit.
#[derive(Debug)]
pub struct Unrecorded;

const NOWHERE: Appended =
    Appended { source: Source { journal: JOURNAL, epoch: 1 }, first_seq: Seq::new(1), last_seq: Seq::new(1), end: LogPosition::new(1) };

#[async_trait]
impl Recorder for Unrecorded {
    async fn append(&self, _records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Ok(NOWHERE)
    }

    async fn admit(&self, _key: [u8; 16], _records: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, AppendError> {
        Ok(Box::new(Self))
    }

    async fn confirm(&self, _end: LogPosition, _ack: Ack) -> Result<(), Unconfirmed> {
        Ok(())
    }

    fn stats(&self) -> JournalStats {
        JournalStats { spare_ready: true, ..JournalStats::default() }
    }
}

#[async_trait]
impl OpenRecord for Unrecorded {
    async fn record(&mut self, _records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Ok(NOWHERE)
    }

    fn end(&self) -> LogPosition {
        NOWHERE.end
    }

    async fn close(self: Box<Self>, _records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Ok(NOWHERE)
    }
}
