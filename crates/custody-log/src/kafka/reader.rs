//! One partition of a topic as a log.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use custody_types::{LogPosition, LogRecord};
use tokio::{sync::Notify, time::Instant};

use crate::{
    error::ReadError,
    kafka::{config::KafkaConfig, desk::Desk, error::KafkaClientError},
    reader::{LogBounds, LogReader},
};

/// A waiting reader looks at least this often, because the client's wake-up comes only when its queue was empty before.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Reads one partition with a consumer of its own, outside any group. The position is Kafka's offset.
///
/// A broker that goes away for less than ten seconds is not noticed; then a read says [`ReadError::Unavailable`], and the next one
/// tries again. While waiting no thread is held.
pub struct KafkaReader {
    name: String,
    position: LogPosition,
    wake: Arc<Notify>,
    /// Shared with the blocking thread that is working for this reader; empty only while being dropped.
    desk: Option<Arc<Mutex<Desk>>>,
}

impl fmt::Debug for KafkaReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaReader({} at {})", self.name, self.position)
    }
}

impl KafkaReader {
    /// A reader at the log's start. Connects when it is first asked something.
    pub fn open(config: &KafkaConfig, topic: &str, partition: i32) -> Result<Self, KafkaClientError> {
        let wake = Arc::new(Notify::new());
        let desk = Desk::open(config, topic, partition, Arc::clone(&wake))?;
        let desk = Some(Arc::new(Mutex::new(desk)));
        Ok(Self { name: format!("{topic}/{partition}"), position: LogPosition::START, wake, desk })
    }

    /// Has a blocking thread work at the desk. Given up half-way, the work ends by itself and the desk stands elsewhere than the
    /// reader, which it notices.
    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let gone = || ReadError::Unavailable { doing: "reading", source: "the reader is closed".into() };
        let desk = self.desk.as_ref().map(Arc::clone).ok_or_else(gone)?;
        let working = tokio::task::spawn_blocking(move || work(&mut desk.lock().unwrap_or_else(PoisonError::into_inner)));
        working.await.map_err(|error| ReadError::Unavailable { doing: "reading", source: error.into() })?
    }
}

#[async_trait]
impl LogReader for KafkaReader {
    async fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        self.at_desk(Desk::bounds).await
    }

    async fn read(&mut self, max_bytes: usize, wait: Duration) -> Result<Vec<LogRecord>, ReadError> {
        let begun = Instant::now();
        let from = self.position;
        loop {
            let records = self.at_desk(move |desk| desk.take(from, max_bytes)).await?;
            if let Some(last) = records.last() {
                self.position = last.position.next();
                return Ok(records);
            }
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(records);
            }
            let _ = tokio::time::timeout(left.min(LOOK_AGAIN), self.wake.notified()).await;
        }
    }

    fn position(&self) -> LogPosition {
        self.position
    }

    fn seek(&mut self, to: LogPosition) {
        self.position = to;
    }

    fn partition(&self) -> String {
        self.name.clone()
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        // Closing a consumer waits for its threads. The runtime owns this last piece of work and waits for it when it ends.
        if let (Some(desk), Ok(runtime)) = (self.desk.take(), tokio::runtime::Handle::try_current()) {
            drop(runtime.spawn_blocking(move || drop(desk)));
        }
    }
}
