//! What a key service was asked, counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Calls since the start, those that failed included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyCalls {
    /// Keys to be wrapped.
    pub encrypt: u64,
    /// Keys to be unwrapped.
    pub decrypt: u64,
    /// Keys to be wrapped anew.
    pub reencrypt: u64,
    /// Calls that failed because the service takes no more now.
    pub throttled: u64,
    /// Calls that failed because the service did not answer.
    pub unavailable: u64,
    /// Calls that the service refused: access, keys that are gone or disabled, keys that were altered.
    pub refused: u64,
}

#[derive(Debug, Default)]
pub(super) struct CallCounter {
    pub(super) encrypt: Count,
    pub(super) decrypt: Count,
    pub(super) reencrypt: Count,
    pub(super) throttled: Count,
    pub(super) unavailable: Count,
    pub(super) refused: Count,
}

#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl CallCounter {
    pub(super) fn read(&self) -> KeyCalls {
        KeyCalls {
            encrypt: self.encrypt.get(),
            decrypt: self.decrypt.get(),
            reencrypt: self.reencrypt.get(),
            throttled: self.throttled.get(),
            unavailable: self.unavailable.get(),
            refused: self.refused.get(),
        }
    }
}
