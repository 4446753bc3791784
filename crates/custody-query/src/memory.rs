//! The memory of all queries of a process, in two halves: one for work that can spill, shared fairly, and one for work that
//! can't. In one pool a sort fills everything, and the merge of its own spilled runs then finds nothing left.

use std::fmt;

use datafusion::{
    error::Result,
    execution::memory_pool::{FairSpillPool, GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation},
};

/// A pool in two parts.
#[derive(Debug)]
pub struct TwoPartPool {
    bytes: usize,
    can_spill: FairSpillPool,
    cannot_spill: GreedyMemoryPool,
}

impl TwoPartPool {
    /// A pool of so many bytes.
    pub fn new(bytes: usize) -> Self {
        let cannot_spill = bytes / 2;
        let can_spill = bytes.saturating_sub(cannot_spill);
        Self { bytes, can_spill: FairSpillPool::new(can_spill), cannot_spill: GreedyMemoryPool::new(cannot_spill) }
    }

    fn part(&self, consumer: &MemoryConsumer) -> &dyn MemoryPool {
        if consumer.can_spill() { &self.can_spill } else { &self.cannot_spill }
    }
}

impl fmt::Display for TwoPartPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in two parts", self.bytes)
    }
}

impl MemoryPool for TwoPartPool {
    fn name(&self) -> &str {
        "two_part"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.part(consumer).register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.part(consumer).unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.part(reservation.consumer()).grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.part(reservation.consumer()).shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.part(reservation.consumer()).try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.can_spill.reserved().saturating_add(self.cannot_spill.reserved())
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}
