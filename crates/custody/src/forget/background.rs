//! Expiry in the background of `up` and of `ingest`.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tokio::sync::watch;

use super::{evidence::Questions, parts::Keeping};
use crate::reveal::RevealPlace;

/// The first run is soon: what fell due while nothing ran is not kept for another hour.
const FIRST_AFTER: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(60 * 60);

/// The job of one process. Two at once do the same steps twice, to the same end.
pub struct Expiry {
    place: RevealPlace,
    questions: Questions,
}

impl Expiry {
    /// In the folder of `custody up`.
    pub fn in_folder(place: RevealPlace, data_dir: &std::path::Path) -> Self {
        Self { place, questions: Questions::Folder(data_dir.to_owned()) }
    }

    /// In a deployment.
    pub fn in_deployment(place: RevealPlace, file: &std::path::Path) -> Self {
        Self { place, questions: Questions::Deployment(file.to_owned()) }
    }

    /// Works now and then, until told to stop, where `has_turn` says that it is this process' to do. What fails is logged and tried
    /// again.
    pub async fn run(self, has_turn: Arc<dyn Fn() -> bool + Send + Sync>, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_AFTER;
        while tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_err() {
            pause = EVERY;
            if !has_turn() {
                continue;
            }
            match self.expire().await {
                Ok(0) => {}
                Ok(texts) => tracing::info!(texts, "texts that were due are forgotten"),
                Err(error) => tracing::warn!(error = format!("{error:#}"), "what is due could not be forgotten and is tried again"),
            }
        }
    }

    async fn expire(&self) -> Result<u64> {
        // Nothing is destroyed that could not be recorded afterwards.
        self.place.office.prove("custody").await?;
        let keeping = Keeping::open(&self.place, self.questions.clone()).await?;
        // Edge keys are ingest's own: it alone knows how far the stream is read.
        let done = keeping.retention("custody").await?.run().await?;
        Ok(done.iter().map(|plan| plan.counts.due.rows).sum())
    }
}
