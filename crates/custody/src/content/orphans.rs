//! Requests whose handling ended by a defect get their end in the content journal while the program runs; until then they would hold
//! its truncation back.

use std::{sync::Arc, time::Duration};

use custody_gateway::end_orphaned_texts;
use custody_log::Journal;
use custody_types::{Clock, IdSource};
use tokio::sync::watch;

/// How often to look; as for the journal of events.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks until told to stop, and once more then.
pub async fn run(journal: Journal, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, mut stop: watch::Receiver<bool>) {
    loop {
        let stopping = tokio::time::timeout(PAUSE, stop.wait_for(|stop| *stop)).await.is_ok();
        journal.tend();
        let orphans = journal.take_orphans();
        if !orphans.is_empty() {
            match end_orphaned_texts(orphans, clock.as_ref(), ids.as_ref()).await {
                Ok(ended) => tracing::error!(ended, "requests ended by a defect; they got their end in the content journal"),
                Err(error) => tracing::error!(%error, "requests could not be ended in the content journal; the next start ends them"),
            }
        }
        if stopping {
            return;
        }
    }
}
