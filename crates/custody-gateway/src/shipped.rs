//! The recorder of a deployment with a shared log: the journal is its outbox, and what must survive the loss of this machine waits
//! until the log has it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use custody_log::{AppendError, Appended, Journal, JournalStats};
use custody_types::LogPosition;
use tokio::sync::watch;

use crate::recorder::{Ack, OpenRecord, Recorder, Unconfirmed};

/// A journal whose records are shipped to a log.
#[derive(Debug)]
pub struct ShippedJournal {
    journal: Journal,
    shipped: watch::Receiver<LogPosition>,
    patience: Duration,
}

impl ShippedJournal {
    /// `shipped` is the place before which the log has everything; `patience` bounds how long a request waits for it.
    #[must_use]
    pub const fn new(journal: Journal, shipped: watch::Receiver<LogPosition>, patience: Duration) -> Self {
        Self { journal, shipped, patience }
    }
}

#[async_trait]
impl Recorder for ShippedJournal {
    async fn append(&self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        self.journal.append(records).await
    }

    async fn admit(&self, key: [u8; 16], records: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, AppendError> {
        Recorder::admit(&self.journal, key, records).await
    }

    async fn confirm(&self, end: LogPosition, ack: Ack) -> Result<(), Unconfirmed> {
        match ack {
            Ack::Journal => Ok(()),
            Ack::Log => {
                let mut shipped = self.shipped.clone();
                let confirmed = tokio::time::timeout(self.patience, shipped.wait_for(|place| *place >= end)).await;
                // A shipper that is gone confirms nothing any more.
                if matches!(confirmed, Ok(Ok(_))) { Ok(()) } else { Err(Unconfirmed { waited: self.patience }) }
            }
        }
    }

    fn stats(&self) -> JournalStats {
        self.journal.stats()
    }
}
