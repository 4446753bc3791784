//! Where events become durable, as the flow needs it: the journal in every deployment, and the shared log beyond it where there is
//! one.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use custody_log::{Admission, AppendError, Appended, Journal, JournalStats};
use custody_types::LogPosition;

/// Where a record must be before what it permits may happen (D2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ack {
    /// On this machine's disk: survives the end of the process and of the operating system.
    #[default]
    Journal,
    /// In the shared log as well: survives the loss of the machine. Where the journal is the log, this is the same.
    Log,
}

/// The shared log did not confirm in time; the record is durable in the journal and is shipped when the log is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log did not confirm the record within {} ms", .waited.as_millis())]
pub struct Unconfirmed {
    /// How long it was waited for.
    pub waited: Duration,
}

/// Makes events durable. The flow goes on only after it said so.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Makes records durable that belong to no admitted request: refusals and control events.
    async fn append(&self, records: Vec<Bytes>) -> Result<Appended, AppendError>;

    /// Makes an intent durable and reserves room for its outcome.
    async fn admit(&self, key: [u8; 16], records: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, AppendError>;

    /// Waits until every record before `end`, which the journal has, is where `ack` wants it.
    async fn confirm(&self, end: LogPosition, ack: Ack) -> Result<(), Unconfirmed>;

    /// How the recorder does, for readiness and metrics.
    fn stats(&self) -> JournalStats;
}

/// An admitted request, which owes an outcome.
#[async_trait]
pub trait OpenRecord: Send + Sync {
    /// Makes another attempt's intent durable.
    async fn record(&mut self, records: Vec<Bytes>) -> Result<Appended, AppendError>;

    /// The place after what was recorded so far.
    fn end(&self) -> LogPosition;

    /// Makes the outcome durable.
    async fn close(self: Box<Self>, records: Vec<Bytes>) -> Result<Appended, AppendError>;
}

#[async_trait]
impl Recorder for Journal {
    async fn append(&self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Self::append(self, records).await
    }

    async fn admit(&self, key: [u8; 16], records: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, AppendError> {
        let admission = Self::admit(self, key, records).await?;
        Ok(Box::new(admission))
    }

    /// The journal is the log.
    async fn confirm(&self, _end: LogPosition, _ack: Ack) -> Result<(), Unconfirmed> {
        Ok(())
    }

    fn stats(&self) -> JournalStats {
        Self::stats(self)
    }
}

#[async_trait]
impl OpenRecord for Admission {
    async fn record(&mut self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Self::record(self, records).await
    }

    fn end(&self) -> LogPosition {
        self.written().map_or(LogPosition::START, |written| written.end)
    }

    async fn close(self: Box<Self>, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Self::close(*self, records).await
    }
}
