//! What an ingest instance says of itself.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_ingest::IngestMetrics;
use custody_log::kafka::Assignment;
use tokio::sync::watch;

use super::{
    super::door::Pages,
    sealed_texts::SealedTexts,
    stream::{Stream, Trouble},
};
use crate::{
    deployment::Deployment,
    figures::Figures,
    ingest_parts::add_figures,
    texts::{self, Texts},
};

/// Beyond the flush age, how long a batch may take from its last record to its commit.
const LONGEST_COMMIT: Duration = Duration::from_secs(60);

const OF_EVENTS: [&str; 3] = ["custody_ingest_partitions", "custody_ingest_lag_records", "custody_ingest_lag_unknown_partitions"];
const OF_TEXTS: [&str; 3] =
    ["custody_text_ingest_partitions", "custody_text_ingest_lag_records", "custody_text_ingest_lag_unknown_partitions"];

/// The pages of one instance.
pub struct IngestPages {
    events: Stream,
    /// Nothing where there is no vault.
    texts: Option<(Texts, Stream)>,
}

impl IngestPages {
    pub fn new(
        metrics: &Arc<IngestMetrics>,
        deployment: &Deployment,
        assignment: watch::Receiver<Assignment>,
        texts: Option<&SealedTexts>,
    ) -> Self {
        let (kafka, told) = (&deployment.log.kafka, &deployment.ingest);
        let stuck_after = told.flush_age * 2 + LONGEST_COMMIT;
        let of_texts = |side: &SealedTexts| {
            let place = (kafka, side.topic.as_str());
            // A batch also waits for a vault that is away, before its texts are parked.
            (side.texts.clone(), Stream::new(&side.texts.metrics, place, side.assignment(), stuck_after + told.vault_patience))
        };
        let events = Stream::new(metrics, (kafka, &deployment.log.topic.name), assignment, stuck_after);
        Self { events, texts: texts.map(of_texts) }
    }
}

#[async_trait]
impl Pages for IngestPages {
    /// Ready means that nothing failed since the last look, and that what waits in the log gets into the lake, events and sealed texts
    /// alike. An instance without partitions is ready: it waits for its share.
    async fn why_not_ready(&self) -> Option<String> {
        let events = self.events.trouble().await;
        let texts = match &self.texts {
            Some((_, stream)) => stream.trouble().await,
            None => None,
        };
        let of_events = events.map(|trouble| match trouble {
            Trouble::Failed => "the log or the lake cannot be used at the moment; it is tried again",
            Trouble::Stuck => "records wait in the log, and nothing gets into the lake",
        });
        let of_texts = texts.map(|trouble| match trouble {
            Trouble::Failed => "the log, the vault or the lake of texts cannot be used at the moment; it is tried again",
            Trouble::Stuck => "sealed texts wait in the log, and nothing gets into the lake",
        });
        of_events.or(of_texts).map(str::to_owned)
    }

    async fn metrics(&self) -> String {
        let mut figures = Figures::default();
        add_figures(&mut figures, &self.events.metrics.figures());
        self.events.add_figures(&mut figures, OF_EVENTS).await;
        if let Some((texts, stream)) = &self.texts {
            texts::add_figures(&mut figures, texts);
            stream.add_figures(&mut figures, OF_TEXTS).await;
        }
        figures.into_text()
    }
}
