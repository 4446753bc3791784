//! How the shipper does, for who watches it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custody_types::LogPosition;
use tokio::{sync::watch, time::Instant};

use crate::{kafka::producer::Line, reader::DurableEnd};

/// How the shipper does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipperStats {
    /// Everything before it is in Kafka.
    pub acked: LogPosition,
    /// Records delivered since start; what was shipped twice counts twice.
    pub shipped_records: u64,
    /// Their payload bytes.
    pub shipped_bytes: u64,
    /// Durable records that Kafka has not acknowledged.
    pub lag_records: u64,
    /// Since when the brokers fail while records wait for them.
    pub away_since: Option<Instant>,
    /// Producers given up since start.
    pub restarts: u64,
    /// Why the last one was given up, or what the brokers' last complaint was.
    pub last_problem: Option<String>,
}

/// A view of a shipper, also while it runs and afterwards. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct ShipperMonitor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    acked: watch::Sender<LogPosition>,
    end: DurableEnd,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Of producers that were given up.
    pub past: (u64, u64),
    /// Of the one at work.
    pub present: (u64, u64),
    pub away_since: Option<Instant>,
    pub restarts: u64,
    pub last_problem: Option<String>,
}

impl Facts {
    /// The producer at work was given up.
    pub(crate) fn end_present(&mut self) {
        let present = std::mem::take(&mut self.present);
        self.past = (self.past.0 + present.0, self.past.1 + present.1);
    }
}

impl ShipperMonitor {
    pub(crate) fn new(acked: LogPosition, end: DurableEnd) -> Self {
        Self(Arc::new(Shared { acked: watch::Sender::new(acked), end, facts: Mutex::default() }))
    }

    /// The position up to which Kafka acknowledged everything, as it moves.
    #[must_use]
    pub fn acked(&self) -> watch::Receiver<LogPosition> {
        self.0.acked.subscribe()
    }

    /// How the shipper does now.
    #[must_use]
    pub fn stats(&self) -> ShipperStats {
        let acked = self.position();
        // An end that cannot be read is reported by the reader; here it shows as no lag.
        let end = self.durable_end().unwrap_or(acked);
        let facts = self.facts();
        ShipperStats {
            acked,
            shipped_records: facts.past.0 + facts.present.0,
            shipped_bytes: facts.past.1 + facts.present.1,
            lag_records: end.get().saturating_sub(acked.get()),
            away_since: facts.away_since.filter(|_| end > acked),
            restarts: facts.restarts,
            last_problem: facts.last_problem.clone(),
        }
    }

    pub(crate) fn position(&self) -> LogPosition {
        *self.0.acked.borrow()
    }

    pub(crate) fn durable_end(&self) -> Result<LogPosition, crate::ReadError> {
        self.0.end.get()
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what a producer has done so far.
    pub(crate) fn take_over(&self, line: &Line) -> LogPosition {
        let (acked, present) = line.acks.look(|state| (state.acked, (state.records, state.bytes)));
        let doubt = line.events.contact().doubt();
        let mut facts = self.facts();
        facts.present = present;
        facts.away_since = doubt.as_ref().map(|doubt| doubt.since);
        facts.last_problem = doubt.map(|doubt| doubt.reason).or(facts.last_problem.take());
        drop(facts);
        self.0.acked.send_if_modified(|shown| std::mem::replace(shown, acked.max(*shown)) != *shown);
        self.position()
    }
}
