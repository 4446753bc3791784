//! Where events become durable, as the flow needs it: the journal in every deployment.

use async_trait::async_trait;
use bytes::Bytes;
use custody_log::{Admission, AppendError, Appended, Journal, JournalStats};

/// Makes events durable. The flow goes on only after it said so.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Makes records durable that belong to no admitted request: refusals and control events.
    async fn append(&self, records: Vec<Bytes>) -> Result<Appended, AppendError>;

    /// Makes an intent durable and reserves room for its outcome.
    async fn admit(&self, key: [u8; 16], records: Vec<Bytes>) -> Result<Box<dyn OpenRecord>, AppendError>;

    /// How the recorder does, for readiness and metrics.
    fn stats(&self) -> JournalStats;
}

/// An admitted request, which owes an outcome.
#[async_trait]
pub trait OpenRecord: Send {
    /// Makes another attempt's intent durable.
    async fn record(&mut self, records: Vec<Bytes>) -> Result<Appended, AppendError>;

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

    fn stats(&self) -> JournalStats {
        Self::stats(self)
    }
}

#[async_trait]
impl OpenRecord for Admission {
    async fn record(&mut self, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Self::record(self, records).await
    }

    async fn close(self: Box<Self>, records: Vec<Bytes>) -> Result<Appended, AppendError> {
        Self::close(*self, records).await
    }
}
