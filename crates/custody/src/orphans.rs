//! Requests whose handling ended by a defect before their outcome was written get it while the program runs, not only at the next
//! start: until then they would hold the journal's truncation back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use custody_event::Decoder;
use custody_gateway::{recover, workspace::Workspace};
use custody_log::{Admission, Journal, LogReader, OpenRequest, RequestKey};
use custody_types::{Clock, IdSource, LogRecord, RequestId};
use tokio::sync::watch;

/// How often to look. Orphans come from defects, so seldom; a second bounds how long one holds truncation back.
const PAUSE: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 4 << 20;

/// What closing an orphan needs.
pub struct Orphanage {
    pub journal: Journal,
    pub workspace: Arc<Workspace>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

impl Orphanage {
    /// Looks until told to stop, and once more then.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let stopping = tokio::time::timeout(PAUSE, stop.wait_for(|stop| *stop)).await.is_ok();
            self.journal.tend();
            let orphans = self.journal.take_orphans();
            if !orphans.is_empty()
                && let Err(error) = self.close(orphans).await
            {
                tracing::error!(%error, "requests without an outcome could not be closed; the next start closes them");
            }
            if stopping {
                return;
            }
        }
    }

    async fn close(&self, orphans: Vec<Admission>) -> Result<()> {
        let count = orphans.len();
        let mut records = self.records_of(&orphans).await?;
        let open: Vec<OpenRequest> = orphans
            .into_iter()
            .map(|admission| {
                let key = admission.key();
                OpenRequest { key, records: records.remove(&key).unwrap_or_default(), admission }
            })
            .collect();
        recover(open, &self.workspace, self.clock.as_ref(), self.ids.as_ref()).await?;
        tracing::error!(count, "requests ended without an outcome by a defect; they are recorded as abandoned");
        Ok(())
    }

    /// Everything the journal holds of these requests. It holds all of it: an open request keeps its segments.
    async fn records_of(&self, orphans: &[Admission]) -> Result<BTreeMap<RequestKey, Vec<LogRecord>>> {
        let mut found: BTreeMap<RequestKey, Vec<LogRecord>> = orphans.iter().map(|orphan| (orphan.key(), Vec::new())).collect();
        let decoder = Decoder::new(&[]);
        let stats = self.journal.stats();
        let mut reader = self.journal.reader(stats.first);
        while reader.position() < stats.durable {
            let records = reader.read(READ_BYTES, Duration::ZERO).await?;
            if records.is_empty() {
                break;
            }
            for record in records {
                let request = decoder.decode(&record.payload).ok().and_then(|event| event.envelope.request_id.clone());
                let key = request.and_then(|id| id.parse::<RequestId>().ok()).map(|id| id.key());
                if let Some(of_request) = key.and_then(|key| found.get_mut(&key)) {
                    of_request.push(record);
                }
            }
        }
        Ok(found)
    }
}
