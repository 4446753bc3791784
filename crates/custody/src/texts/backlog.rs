//! How far the content stream is read: the key of a day must outlive what was sealed to it and is not read yet.
//!
//! ```text
//! end of a partition against the table's position    texts that may be unread
//! nothing behind the position                        none
//! something is                                       from the day before that of the first of it
//! log, table or that record is not to be had         all
//! ```

use std::time::Duration;

use async_trait::async_trait;
use custody_event::ContentRecord;
use custody_ingest::{content::Backlog, ledger};
use custody_lake::{ContentStore, TableStore};
use custody_log::LogReader;
use custody_seal::edge::EdgeDay;
use custody_types::LogPosition;
use tokio::sync::Mutex;

/// Before every day.
const ALWAYS: EdgeDay = EdgeDay::from_number(i32::MIN);

/// How long a record that the log has may take.
const WAIT: Duration = Duration::from_secs(5);

/// All partitions of the content stream, compared with the table.
pub struct LogBacklog<L> {
    logs: Mutex<Vec<L>>,
    table: ContentStore,
}

impl<L: LogReader> LogBacklog<L> {
    pub fn new(logs: Vec<L>, table: ContentStore) -> Self {
        Self { logs: Mutex::new(logs), table }
    }
}

#[async_trait]
impl<L: LogReader> Backlog for LogBacklog<L> {
    async fn unread_from(&self) -> Option<EdgeDay> {
        let Ok(table) = self.table.snapshot().await else { return Some(ALWAYS) };
        let mut unread = None;
        for log in self.logs.lock().await.iter_mut() {
            let stored = table.transactions.get(&ledger::position_id(&log.partition())).copied().map(ledger::position_of);
            let of_partition = first_unread(log, stored.unwrap_or_default()).await;
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
