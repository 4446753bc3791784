//! What an ingest instance says of itself.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_ingest::IngestMetrics;
use custody_log::{
    LogReader,
    kafka::{Assignment, KafkaReader},
};
use tokio::sync::{Mutex, watch};

use super::super::door::Pages;
use crate::{
    deployment::Log,
    figures::{Figures, Kind, count},
    ingest_parts::add_figures,
};

/// A log that does not tell its end within this is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pages of one instance.
pub struct IngestPages {
    metrics: Arc<IngestMetrics>,
    kafka: custody_log::kafka::KafkaConfig,
    topic: String,
    assignment: watch::Receiver<Assignment>,
    failures_seen: Mutex<u64>,
}

impl IngestPages {
    pub fn new(metrics: &Arc<IngestMetrics>, log: &Log, assignment: watch::Receiver<Assignment>) -> Self {
        let (kafka, topic) = (log.kafka.clone(), log.topic.name.clone());
        Self { metrics: Arc::clone(metrics), kafka, topic, assignment, failures_seen: Mutex::new(0) }
    }

    /// Per assigned partition, the records that the lake does not have yet.
    async fn lag(&self) -> Vec<(String, f64)> {
        let stored = self.metrics.figures().stored;
        let partitions = self.assignment.borrow().partitions.clone();
        let mut lag = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let name = format!("{}/{partition}", self.topic);
            let Ok(mut reader) = KafkaReader::open(&self.kafka, &self.topic, partition) else { continue };
            let Ok(Ok(bounds)) = tokio::time::timeout(PATIENCE, reader.bounds()).await else { continue };
            let place = stored.get(&name).copied().unwrap_or(bounds.first).max(bounds.first);
            lag.push((format!("partition=\"{name}\""), count(bounds.end.get().saturating_sub(place.get()))));
        }
        lag
    }
}

#[async_trait]
impl Pages for IngestPages {
    /// Ready means that nothing failed since the last look. An instance without partitions is ready: it waits for its share.
    async fn why_not_ready(&self) -> Option<String> {
        let failures = self.metrics.figures().failures;
        let mut seen = self.failures_seen.lock().await;
        let is_failing = failures > *seen;
        *seen = failures;
        is_failing.then(|| "the log or the lake cannot be used at the moment; it is tried again".to_owned())
    }

    async fn metrics(&self) -> String {
        let mut figures = Figures::default();
        add_figures(&mut figures, &self.metrics.figures());
        let partitions = self.assignment.borrow().partitions.len() as u64;
        figures.add(Kind::Gauge, "custody_ingest_partitions", "Partitions that this instance holds", count(partitions));
        figures.add_each(Kind::Gauge, "custody_ingest_lag_records", "Records of a partition that are not in the lake", self.lag().await);
        figures.into_text()
    }
}
