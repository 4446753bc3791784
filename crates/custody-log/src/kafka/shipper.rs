//! Moves a journal to Kafka: in order, nothing left out, and the journal keeps what is not acknowledged.
//!
//! ```text
//!          ┌────────────── a producer, beginning at what is acknowledged ◀──────────────────────────┐
//!          ▼                                                                                        │
//!  pump: read the journal ─▶ hand to the client, while there is room          given up for any other reason: pause
//!  follow: acknowledged? ─▶ tell `acked`, the mark, the journal's floor                             │
//!          │                                                                                        │
//!          ├─ brokers away: the client waits and retries, for ever, in order                        │
//!          ├─ the producer broke, or a record was given up ─────────────────────────────────────────┘
//!          ├─ a record is too large for the topic: stop, loudly; nothing may overtake it
//!          └─ stop: go on until the durable end is acknowledged, or the grace is over
//! ```
//!
//! A new producer may send again what arrived: ingest drops it by (source, seq). What the old one still had on the wire lands as
//! whole batches in their order or not at all, so that the first copies stay in order.

use std::{fmt, sync::Arc, time::Duration};

use custody_types::{Fault, JournalId, LogPosition, Retry};
use tokio::{sync::watch, time::Instant};

use crate::{
    disk::Disk,
    error::ReadError,
    kafka::{
        acks::Failure,
        config::KafkaConfig,
        error::ShipperError,
        partition_file::{Home, ShippedMark},
        producer::Line,
        shipper_state::{ShipperMonitor, ShipperStats},
    },
    reader::{JournalReader, LogReader},
};

/// Key, header and the batch's own head around a payload: far below this.
const FRAMING_BYTES: usize = 4 << 10;
/// Read from the journal at once.
const PIECE_BYTES: usize = 1 << 20;
/// The mark and the journal's floor may be this old: a crash ships so much again.
const MARK_EVERY: Duration = Duration::from_millis(100);
/// How often the shipper looks around when nothing happens.
const IDLE: Duration = Duration::from_secs(1);
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a shipper is told. [`ShipperConfig::new`] gives the defaults and why.
#[derive(Debug, Clone)]
pub struct ShipperConfig {
    /// The topic.
    pub topic: String,
    /// Largest payload that the journal takes.
    pub max_record_bytes: usize,
    /// Payload bytes handed to the client and not acknowledged; one piece more may follow.
    pub in_flight_bytes: usize,
    /// The same in records.
    pub in_flight_records: usize,
    /// How long a stop may wait for Kafka. What is left stays in the journal.
    pub grace: Duration,
}

impl ShipperConfig {
    /// The defaults.
    #[must_use]
    pub fn new(topic: impl Into<String>, max_record_bytes: usize) -> Self {
        Self {
            topic: topic.into(),
            max_record_bytes,
            // A third of a second at 100 MB/s: far more than a round trip, and a bound that a small gateway can afford.
            in_flight_bytes: 32 << 20,
            in_flight_records: 200_000,
            grace: Duration::from_secs(10),
        }
    }

    /// What the topic's `max.message.bytes` must be at least.
    #[must_use]
    pub fn max_message_bytes(&self) -> usize {
        (self.max_record_bytes + FRAMING_BYTES).max(PIECE_BYTES + FRAMING_BYTES)
    }
}

/// Ships one journal.
pub struct Shipper {
    kafka: KafkaConfig,
    config: ShipperConfig,
    journal: JournalId,
    reader: JournalReader,
    disk: Arc<dyn Disk>,
    home: Option<Home>,
    outlet: Outlet,
}

/// Where progress is told.
struct Outlet {
    monitor: ShipperMonitor,
    mark: ShippedMark,
    marked: LogPosition,
    marked_at: Instant,
    floor: Box<dyn Fn(LogPosition) + Send + Sync>,
}

/// The order to stop, and until when it may take.
struct Stop {
    order: watch::Receiver<bool>,
    deadline: Option<Instant>,
    grace: Duration,
}

enum End {
    Stopped,
    Failed(Failure),
}

impl fmt::Debug for Shipper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shipper({} to {})", self.journal, self.config.topic)
    }
}

impl Shipper {
    /// Prepares to ship the journal that `reader` reads and `disk` holds. Asks no broker. `floor` is told how far the journal was
    /// shipped, at most ten times a second.
    pub fn open(
        kafka: KafkaConfig,
        config: ShipperConfig,
        reader: JournalReader,
        disk: Arc<dyn Disk>,
        floor: impl Fn(LogPosition) + Send + Sync + 'static,
    ) -> Result<Self, ShipperError> {
        let journal = reader.journal();
        let home = Home::read(disk.as_ref(), journal, &config.topic)?;
        let mark = ShippedMark::open(disk.as_ref(), journal)?;
        let from = begin(mark.read()?.filter(|_| home.is_some()), reader.first()?, reader.durable()?);
        let monitor = ShipperMonitor::new(from, reader.durable_end());
        let outlet = Outlet { monitor, mark, marked: from, marked_at: Instant::now(), floor: Box::new(floor) };
        Ok(Self { kafka, config, journal, reader, disk, home, outlet })
    }

    /// A view of it, to keep while it runs.
    #[must_use]
    pub fn monitor(&self) -> ShipperMonitor {
        self.outlet.monitor.clone()
    }

    /// Ships until `stop` is true or its sender gone, and then what is durable, for as long as the grace allows. An error means that a
    /// person must act; what is not acknowledged is still in the journal.
    pub async fn run(mut self, stop: watch::Receiver<bool>) -> Result<ShipperStats, ShipperError> {
        let mut stop = Stop { order: stop, deadline: None, grace: self.config.grace };
        let mut pause = SHORTEST_PAUSE;
        (self.outlet.floor)(self.outlet.monitor.position());
        loop {
            let from = self.outlet.monitor.position();
            let line = Arc::new(Line::open(&self.kafka, &self.config, from)?);
            let end = self.ship(&line, &mut stop).await;
            off_thread({
                let line = Arc::clone(&line);
                move || line.close()
            })
            .await;
            self.outlet.tell_all(&line).await;
            match end? {
                End::Stopped => return Ok(self.outlet.monitor.stats()),
                End::Failed(Failure::TooLarge(position)) => return Err(ShipperError::TooLarge { position }),
                End::Failed(Failure::Lost(reason)) => self.outlet.restarting(reason),
            }
            let came_on = self.outlet.monitor.position() > from;
            pause = if came_on { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            stop.wait_at_most(pause).await;
            if stop.is_over() {
                return Ok(self.outlet.monitor.stats());
            }
        }
    }

    /// Ships with one producer until it must be given up or shipping ends.
    async fn ship(&mut self, line: &Arc<Line>, stop: &mut Stop) -> Result<End, ShipperError> {
        if self.home.is_none() {
            self.home = self.choose_home(line, stop).await?;
        }
        let Some(home) = self.home.clone() else { return Ok(End::Stopped) };
        self.reader.seek(self.outlet.monitor.position());
        tokio::select! {
            broken = pump(&mut self.reader, line, &home, &self.config) => Err(broken.into()),
            end = self.outlet.follow(line, stop) => end,
        }
    }

    /// Chooses the partition and keeps the choice; nothing where a stop came first.
    async fn choose_home(&self, line: &Arc<Line>, stop: &mut Stop) -> Result<Option<Home>, ShipperError> {
        while stop.deadline.is_none() {
            let (asked, topic) = (Arc::clone(line), self.config.topic.clone());
            match off_thread(move || asked.partitions(&topic)).await.unwrap_or_else(|| Err("the client failed".to_owned())) {
                Ok(partitions) => {
                    let home = Home::choose(&self.config.topic, self.journal, partitions);
                    home.write(self.disk.as_ref(), self.journal)?;
                    tracing::info!(topic = home.topic, partition = home.partition, "the journal's kafka partition is chosen");
                    return Ok(Some(home));
                }
                Err(problem) => {
                    line.events.contact().suspect(&problem);
                    self.outlet.monitor.take_over(line);
                }
            }
            stop.wait_at_most(IDLE).await;
        }
        Ok(None)
    }
}

/// Where shipping begins: at the mark, unless that is older than what is kept. A mark beyond the journal's end is not this journal's
/// past, whatever it is: everything is shipped again.
fn begin(mark: Option<LogPosition>, first: LogPosition, end: LogPosition) -> LogPosition {
    match mark {
        Some(mark) if mark > end => {
            tracing::error!(mark = mark.get(), end = end.get(), "the mark of what was shipped is beyond the journal's end");
            first
        }
        Some(mark) => mark.max(first),
        None => first,
    }
}

/// Reads and sends; ends only with an error of the journal.
async fn pump(reader: &mut JournalReader, line: &Arc<Line>, home: &Home, config: &ShipperConfig) -> ReadError {
    loop {
        wait_for_room(line, config).await;
        match reader.read(PIECE_BYTES, IDLE).await {
            Ok(records) if records.is_empty() => {}
            Ok(records) => {
                let (line, home) = (Arc::clone(line), home.clone());
                off_thread(move || line.send(&home, &records)).await;
            }
            Err(error) => match error.retry() {
                Retry::Never => return error,
                Retry::After(pause) => {
                    tracing::warn!(%error, "the journal cannot be read for shipping");
                    tokio::time::sleep(pause).await;
                }
            },
        }
    }
}

/// Waits while too much is on its way; for ever once the producer failed, which `follow` sees.
async fn wait_for_room(line: &Line, config: &ShipperConfig) {
    let has_room = || {
        line.acks.look(|state| {
            let is_below = state.waiting_bytes < config.in_flight_bytes && state.waiting_records < config.in_flight_records;
            is_below && state.failure.is_none()
        })
    };
    while !has_room() {
        line.acks.room.notified().await;
    }
}

impl Outlet {
    /// Tells progress as it comes; ends when the producer failed or shipping is over.
    async fn follow(&mut self, line: &Line, stop: &mut Stop) -> Result<End, ShipperError> {
        loop {
            let acked = self.tell(line).await;
            if let Some(failure) = line.acks.look(|state| state.failure.clone()) {
                return Ok(End::Failed(failure));
            }
            if stop.deadline.is_some() && (acked >= self.monitor.durable_end()? || stop.is_over()) {
                return Ok(End::Stopped);
            }
            let is_calm = self.marked == acked && stop.deadline.is_none();
            let patience = if is_calm { IDLE } else { MARK_EVERY };
            tokio::select! {
                () = line.acks.progress.notified() => {}
                () = stop.wait_at_most(patience) => {}
            }
        }
    }

    /// Tells waiting answers at once, the mark and the journal's floor now and then.
    async fn tell(&mut self, line: &Line) -> LogPosition {
        let acked = self.monitor.take_over(line);
        if acked > self.marked && self.marked_at.elapsed() >= MARK_EVERY {
            self.put_mark(acked).await;
        }
        acked
    }

    async fn tell_all(&mut self, line: &Line) {
        let acked = self.monitor.take_over(line);
        self.monitor.facts().end_present();
        self.put_mark(acked).await;
    }

    async fn put_mark(&mut self, acked: LogPosition) {
        let mark = self.mark.clone();
        // Without a mark everything kept is shipped again after a restart: slow, not wrong.
        if let Some(Err(error)) = off_thread(move || mark.write(acked)).await {
            tracing::warn!(%error, "the mark of what was shipped was not written");
        }
        (self.marked, self.marked_at) = (acked, Instant::now());
        (self.floor)(acked);
    }

    fn restarting(&self, reason: String) {
        tracing::warn!(reason, "the kafka producer is replaced; shipping goes on from what is acknowledged");
        let mut facts = self.monitor.facts();
        facts.restarts += 1;
        facts.last_problem = Some(reason);
    }
}

impl Stop {
    /// Waits, at most so long; the order to stop ends the wait and begins the grace.
    async fn wait_at_most(&mut self, patience: Duration) {
        if self.deadline.is_some() {
            return tokio::time::sleep(patience).await;
        }
        if tokio::time::timeout(patience, self.order.wait_for(|order| *order)).await.is_ok() {
            self.deadline = Some(Instant::now() + self.grace);
        }
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Has a blocking thread do it; nothing where that thread panicked or the runtime is ending.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipping_begins_at_the_mark_within_what_is_kept() {
        let at = LogPosition::new;
        for (mark, first, end, begun) in
            [(None, 5, 9, 5), (Some(7), 5, 9, 7), (Some(9), 5, 9, 9), (Some(3), 5, 9, 5), (Some(10), 5, 9, 5), (None, 0, 0, 0)]
        {
            assert_eq!(begin(mark.map(at), at(first), at(end)), at(begun), "{mark:?} {first} {end}");
        }
    }
}
