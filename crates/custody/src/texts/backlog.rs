//! How far the content stream is read: the key of a day must outlive what was sealed to it and is not read yet.
//!
//! ```text
//! end of a partition against the table's position    texts that may be unread
//! nothing behind the position                        none
//! something is                                       from the day before that of the first of it
//! log, table or that record is not to be had         all
//! ```

use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use custody_event::ContentRecord;
use custody_ingest::{content::Backlog, ledger};
use custody_lake::{ContentStore, TableStore};
use custody_log::LogReader;
use custody_seal::edge::EdgeDay;
use custody_types::LogPosition;

/// Before every day.
const ALWAYS: EdgeDay = EdgeDay::from_number(i32::MIN);

/// How long a record that the log has may take.
const WAIT: Duration = Duration::from_secs(5);

/// The content stream as a whole. Partitions may be added to a topic at any time, and a key must outlive what is in them too.
#[async_trait]
pub trait AllPartitions: Send + Sync {
    /// Reads one partition.
    type Log: LogReader;

    /// A reader of each partition that there is now.
    async fn readers(&self) -> Result<Vec<Self::Log>>;
}

/// All partitions of the content stream, compared with the table.
pub struct LogBacklog<P> {
    partitions: P,
    table: ContentStore,
}

impl<P: AllPartitions> LogBacklog<P> {
    pub const fn new(partitions: P, table: ContentStore) -> Self {
        Self { partitions, table }
    }
}

#[async_trait]
impl<P: AllPartitions> Backlog for LogBacklog<P> {
    async fn unread_from(&self) -> Option<EdgeDay> {
        let Ok(table) = self.table.snapshot().await else { return Some(ALWAYS) };
        let logs = match self.partitions.readers().await {
            Ok(logs) => logs,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "how far the content stream is read is not known; no key of a day is destroyed"
                );
                return Some(ALWAYS);
            }
        };
        let mut unread = None;
        for mut log in logs {
            let stored = table.transactions.get(&ledger::position_id(&log.partition())).copied().map(ledger::position_of);
            let of_partition = first_unread(&mut log, stored.unwrap_or_default()).await;
            unread = unread.into_iter().chain(of_partition).min();
        }
        unread
    }
}

/// The day before that of the first text behind the position: a key seals a little into the next day.
async fn first_unread<L: LogReader>(log: &mut L, stored: LogPosition) -> Option<EdgeDay> {
    let Ok(bounds) = log.bounds().await else { return Some(ALWAYS) };
    if bounds.end <= stored {
        return None;
    }
    log.seek(stored.max(bounds.first));
    let read = log.read(1, WAIT).await.ok().and_then(|records| records.into_iter().next());
    let record = read.and_then(|record| ContentRecord::decode(&record.payload).ok());
    Some(record.map_or(ALWAYS, |record| EdgeDay::from_number(EdgeDay::of(record.time).number().saturating_sub(1))))
}
