//! What an ingest instance says of itself.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use custody_ingest::IngestMetrics;
use custody_log::{
    LogReader,
    kafka::{Assignment, KafkaConfig, KafkaReader},
};
use custody_types::LogPosition;
use tokio::sync::{Mutex, watch};

use super::super::door::Pages;
use crate::{
    deployment::Deployment,
    figures::{Figures, Kind, count},
    ingest_parts::add_figures,
    texts::{self, Texts},
};

/// A log that does not tell its end within this is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Beyond the flush age, how long a batch may take from its last record to its commit.
const LONGEST_COMMIT: Duration = Duration::from_secs(60);

/// The pages of one instance.
pub struct IngestPages {
    metrics: Arc<IngestMetrics>,
    kafka: KafkaConfig,
    topic: String,
    assignment: watch::Receiver<Assignment>,
    stuck_after: Duration,
    seen: Mutex<Seen>,
    /// Asked for the ends of their partitions; kept, because each has connections of its own.
    readers: Mutex<BTreeMap<i32, KafkaReader>>,
    /// Nothing where there is no vault.
    texts: Option<Texts>,
}

/// What the last look at readiness found.
struct Seen {
    failures: u64,
    stored: BTreeMap<String, LogPosition>,
    moved_at: Instant,
}

impl IngestPages {
    pub fn new(
        metrics: &Arc<IngestMetrics>,
        deployment: &Deployment,
        assignment: watch::Receiver<Assignment>,
        texts: Option<Texts>,
    ) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            kafka: deployment.log.kafka.clone(),
            topic: deployment.log.topic.name.clone(),
            assignment,
            stuck_after: deployment.ingest.flush_age * 2 + LONGEST_COMMIT,
            seen: Mutex::new(Seen { failures: 0, stored: BTreeMap::new(), moved_at: now() }),
            readers: Mutex::default(),
            texts,
        }
    }

    /// Per assigned partition, the records that the lake does not have yet; nothing where the log or the lake has not said so far.
    async fn lag(&self) -> BTreeMap<String, Option<u64>> {
        let stored = self.metrics.figures().stored;
        let partitions = self.assignment.borrow().partitions.clone();
        let mut readers = self.readers.lock().await;
        readers.retain(|partition, _| partitions.contains(partition));
        let mut lag = BTreeMap::new();
        for partition in partitions {
            if !readers.contains_key(&partition)
                && let Ok(reader) = KafkaReader::open(&self.kafka, &self.topic, partition)
            {
                readers.insert(partition, reader);
            }
            let Some(reader) = readers.get_mut(&partition) else {
                lag.insert(format!("{}/{partition}", self.topic), None);
                continue;
            };
            let name = reader.partition();
            let bounds = tokio::time::timeout(PATIENCE, reader.bounds()).await.ok().and_then(Result::ok);
            if bounds.is_none() {
                // It may have lost its broker for good; the next look opens another.
                readers.remove(&partition);
            }
            let waiting =
                bounds.zip(stored.get(&name)).map(|(bounds, place)| bounds.end.get().saturating_sub(place.max(&bounds.first).get()));
            lag.insert(name, waiting);
        }
        lag
    }
}

/// The doors' own time; no event depends on it.
#[expect(clippy::disallowed_methods, reason = "readiness is about this process and no part of the evidence")]
fn now() -> Instant {
    Instant::now()
}

#[async_trait]
impl Pages for IngestPages {
    /// Ready means that nothing failed since the last look, and that what waits in the log gets into the lake. An instance without
    /// partitions is ready: it waits for its share.
    async fn why_not_ready(&self) -> Option<String> {
        let figures = self.metrics.figures();
        let waiting = self.lag().await.values().any(|lag| lag.is_none_or(|records| records > 0));
        let mut seen = self.seen.lock().await;
        let has_failed = figures.failures > seen.failures;
        if figures.stored != seen.stored || !waiting {
            seen.moved_at = now();
        }
        (seen.failures, seen.stored) = (figures.failures, figures.stored);
        if has_failed {
            return Some("the log or the lake cannot be used at the moment; it is tried again".to_owned());
        }
        let is_stuck = now().duration_since(seen.moved_at) > self.stuck_after;
        is_stuck.then(|| "records wait in the log, and nothing gets into the lake".to_owned())
    }

    async fn metrics(&self) -> String {
        let mut figures = Figures::default();
        add_figures(&mut figures, &self.metrics.figures());
        let partitions = self.assignment.borrow().partitions.len() as u64;
        figures.add(Kind::Gauge, "custody_ingest_partitions", "Partitions that this instance holds", count(partitions));
        let lag = self.lag().await;
        let unknown = lag.values().filter(|lag| lag.is_none()).count() as u64;
        let known = lag.into_iter().filter_map(|(partition, lag)| Some((format!("partition=\"{partition}\""), count(lag?))));
        figures.add_each(Kind::Gauge, "custody_ingest_lag_records", "Records of a partition that are not in the lake", known);
        let help = "Partitions whose lag is not known, because the log or the lake did not say";
        figures.add(Kind::Gauge, "custody_ingest_lag_unknown_partitions", help, count(unknown));
        if let Some(of_texts) = &self.texts {
            texts::add_figures(&mut figures, of_texts);
        }
        figures.into_text()
    }
}
