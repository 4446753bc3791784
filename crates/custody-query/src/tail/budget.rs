//! The memory that all followers of a process may hold together: what one needs at a time another leaves.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes that followers share.
#[derive(Debug)]
pub struct TailBudget {
    bytes: usize,
    used: AtomicUsize,
}

impl TailBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn of(bytes: usize) -> Arc<Self> {
        Arc::new(Self { bytes, used: AtomicUsize::new(0) })
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.bytes
    }
}

/// What one follower takes; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<TailBudget>,
    taken: usize,
}

impl Share {
    pub(super) fn new(budget: &Arc<TailBudget>) -> Self {
        Self { budget: Arc::clone(budget), taken: 0 }
    }

    /// From now on this much.
    pub(super) fn take(&mut self, bytes: usize) {
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.budget.used.fetch_sub(self.taken, Ordering::Relaxed);
        self.taken = bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.take(0);
    }
}
