//! One stream's way into the lake as seen from outside: what waits, and whether anything moves.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use custody_ingest::{IngestFigures, IngestMetrics};
use custody_log::{
    LogReader,
    kafka::{Assignment, KafkaConfig, KafkaReader},
};
use custody_types::LogPosition;
use tokio::sync::{Mutex, watch};

use crate::figures::{Figures, Kind, count};

/// A log that does not tell its end within this is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// The stream of events, or of sealed texts.
pub struct Stream {
    /// What its loop counts.
    pub metrics: Arc<IngestMetrics>,
    kafka: KafkaConfig,
    topic: String,
    assignment: watch::Receiver<Assignment>,
    stuck_after: Duration,
    seen: Mutex<Seen>,
    /// Asked for the ends of their partitions; kept, because each has connections of its own.
    readers: Mutex<BTreeMap<i32, KafkaReader>>,
}

/// Why a stream does not get into the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Something failed since the last look.
    Failed,
    /// Records wait, and none was stored for long.
    Stuck,
}

/// What the last look at readiness found.
struct Seen {
    failures: u64,
    stored: BTreeMap<String, LogPosition>,
    moved_at: Instant,
}

impl Stream {
    pub fn new(
        metrics: &Arc<IngestMetrics>,
        (kafka, topic): (&KafkaConfig, &str),
        assignment: watch::Receiver<Assignment>,
        stuck_after: Duration,
    ) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            kafka: kafka.clone(),
            topic: topic.to_owned(),
            assignment,
            stuck_after,
            seen: Mutex::new(Seen { failures: 0, stored: BTreeMap::new(), moved_at: now() }),
            readers: Mutex::default(),
        }
    }

    /// What is in the way since the last look; nothing where records get into the lake, or none wait.
    pub async fn trouble(&self) -> Option<Trouble> {
        let figures = self.metrics.figures();
        let waiting = self.lag().await.values().any(|lag| lag.is_none_or(|records| records > 0));
        self.seen.lock().await.look(&figures, waiting, now(), self.stuck_after)
    }

    /// Partitions and lag, under these names.
    pub async fn add_figures(&self, figures: &mut Figures, [partitions, lag, unknown]: [&'static str; 3]) {
        let held = self.assignment.borrow().partitions.len() as u64;
        figures.add(Kind::Gauge, partitions, "Partitions that this instance holds", count(held));
        let found = self.lag().await;
        let not_known = found.values().filter(|lag| lag.is_none()).count() as u64;
        let known = found.into_iter().filter_map(|(partition, lag)| Some((format!("partition=\"{partition}\""), count(lag?))));
        figures.add_each(Kind::Gauge, lag, "Records of a partition that are not in the lake", known);
        let help = "Partitions whose lag is not known, because the log or the lake did not say";
        figures.add(Kind::Gauge, unknown, help, count(not_known));
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

impl Seen {
    fn look(&mut self, figures: &IngestFigures, waiting: bool, now: Instant, stuck_after: Duration) -> Option<Trouble> {
        let has_failed = figures.failures > self.failures;
        if figures.stored != self.stored || !waiting {
            self.moved_at = now;
        }
        self.failures = figures.failures;
        self.stored.clone_from(&figures.stored);
        if has_failed {
            return Some(Trouble::Failed);
        }
        (now.duration_since(self.moved_at) > stuck_after).then_some(Trouble::Stuck)
    }
}

/// The doors' own time; no event depends on it.
#[expect(clippy::disallowed_methods, reason = "readiness is about this process and no part of the evidence")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_a_standstill_are_told_and_an_idle_stream_is_none() {
        let (start, stuck_after) = (now(), Duration::from_secs(100));
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut seen = Seen { failures: 0, stored: BTreeMap::new(), moved_at: start };
        let mut figures = IngestFigures::default();
        assert_eq!(seen.look(&figures, false, at(1000), stuck_after), None, "nothing waits");
        assert_eq!(seen.look(&figures, true, at(1100), stuck_after), None);
        assert_eq!(seen.look(&figures, true, at(1101), stuck_after), Some(Trouble::Stuck));
        figures.stored.insert("topic/0".to_owned(), LogPosition::new(7));
        assert_eq!(seen.look(&figures, true, at(1102), stuck_after), None, "something was stored");
        figures.failures += 1;
        assert_eq!(seen.look(&figures, true, at(1103), stuck_after), Some(Trouble::Failed));
        assert_eq!(seen.look(&figures, true, at(1104), stuck_after), None, "no failure since");
    }
}
