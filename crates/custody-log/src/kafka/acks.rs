//! What Kafka acknowledged, as one position that moves only over an unbroken row.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use custody_types::LogPosition;
use tokio::sync::Notify;

/// One producer's deliveries.
#[derive(Debug)]
pub(crate) struct Acks {
    state: Mutex<Deliveries>,
    /// Something was acknowledged, or failed: for who waits for progress.
    pub progress: Notify,
    /// The same, for who waits for room.
    pub room: Notify,
}

/// Counts of one producer.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries {
    /// Everything before it is acknowledged.
    pub acked: LogPosition,
    /// Acknowledged behind a record that is not. An idempotent producer reports in order, so this stays empty; it is not relied upon.
    beyond: BTreeSet<LogPosition>,
    /// Handed to the client and not reported yet.
    pub waiting_records: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// Reported as delivered.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why this producer must be given up.
    pub failure: Option<Failure>,
}

/// Why a producer is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The broker refuses a record for its size: the next producer would meet it again.
    TooLarge(LogPosition),
    /// A record was given up or the client broke; whether it arrived is unknown. Another producer begins at what is acknowledged.
    Lost(String),
}

impl Acks {
    pub(crate) fn new(from: LogPosition) -> Self {
        let deliveries =
            Deliveries { acked: from, beyond: BTreeSet::new(), waiting_records: 0, waiting_bytes: 0, records: 0, bytes: 0, failure: None };
        Self { state: Mutex::new(deliveries), progress: Notify::new(), room: Notify::new() }
    }

    /// Records are about to be handed to the client.
    pub(crate) fn sending(&self, records: usize, bytes: usize) {
        let mut state = self.lock();
        state.waiting_records += records;
        state.waiting_bytes += bytes;
    }

    pub(crate) fn delivered(&self, position: LogPosition, bytes: usize) {
        self.lock().deliver(position, bytes);
        self.tell();
    }

    /// A record will not be delivered by this producer.
    pub(crate) fn undelivered(&self, bytes: usize, failure: Failure) {
        self.lock().end_waiting(bytes);
        self.fail(failure);
    }

    /// Keeps the first reason, except that a record which can't pass explains all others.
    pub(crate) fn fail(&self, failure: Failure) {
        let mut state = self.lock();
        if state.failure.is_none() || matches!(failure, Failure::TooLarge(_)) {
            state.failure = Some(failure);
        }
        drop(state);
        self.tell();
    }

    pub(crate) fn look<T>(&self, at: impl FnOnce(&Deliveries) -> T) -> T {
        at(&self.lock())
    }

    fn tell(&self) {
        self.progress.notify_one();
        self.room.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Deliveries> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deliveries {
    fn deliver(&mut self, position: LogPosition, bytes: usize) {
        self.end_waiting(bytes);
        self.records += 1;
        self.bytes += bytes as u64;
        if position == self.acked {
            self.acked = position.next();
            while self.beyond.remove(&self.acked) {
                self.acked = self.acked.next();
            }
        } else if position > self.acked {
            self.beyond.insert(position);
        }
    }

    const fn end_waiting(&mut self, bytes: usize) {
        self.waiting_records = self.waiting_records.saturating_sub(1);
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_position_moves_over_an_unbroken_row_only(order in Just((0..40u64).collect::<Vec<_>>()).prop_shuffle(), kept in 0..40usize) {
            let acks = Acks::new(LogPosition::new(100));
            let mut delivered = BTreeSet::new();
            for place in &order[..kept] {
                acks.sending(1, 10);
                acks.delivered(LogPosition::new(100 + place), 10);
                delivered.insert(*place);
                let unbroken = (0..40).take_while(|place| delivered.contains(place)).count() as u64;
                prop_assert_eq!(acks.look(|state| state.acked), LogPosition::new(100 + unbroken));
            }
            prop_assert_eq!(acks.look(|state| (state.waiting_records, state.waiting_bytes, state.records)), (0, 0, kept as u64));
        }
    }

    #[test]
    fn a_record_that_cannot_pass_explains_the_failures_before_it() {
        let acks = Acks::new(LogPosition::START);
        acks.fail(Failure::Lost("fatal".into()));
        acks.undelivered(1, Failure::TooLarge(LogPosition::new(3)));
        acks.undelivered(1, Failure::Lost("purged".into()));
        assert_eq!(acks.look(|state| state.failure.clone()), Some(Failure::TooLarge(LogPosition::new(3))));
        assert_eq!(acks.look(|state| state.acked), LogPosition::START);
    }
}
