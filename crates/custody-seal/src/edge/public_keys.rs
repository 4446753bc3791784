//! The public keys that a gateway knows, and which of them seals now.

use std::collections::BTreeMap;

use custody_types::Timestamp;

use super::{
    day::{EdgeDay, EdgeWindow},
    public_key::EdgePublicKey,
};
use crate::error::SealError;

/// At most one key a day. Keys whose time is over are dropped as new ones come.
#[derive(Debug, Clone)]
pub struct EdgePublicKeys {
    window: EdgeWindow,
    keys: BTreeMap<EdgeDay, EdgePublicKey>,
}

impl EdgePublicKeys {
    /// No keys yet.
    #[must_use]
    pub const fn new(window: EdgeWindow) -> Self {
        Self { window, keys: BTreeMap::new() }
    }

    /// Takes up a key; one that is published again for a day replaces the earlier one.
    pub fn publish(&mut self, key: EdgePublicKey, now: Timestamp) {
        self.keys.insert(key.day(), key);
        let today = EdgeDay::of(now);
        let window = self.window;
        self.keys.retain(|day, _| *day >= today || window.may_seal(*day, now));
    }

    /// The key to begin a segment with: today's; else yesterday's or tomorrow's while the overlap lasts.
    ///
    /// # Errors
    /// When none may seal now. Text that must be captured can't be, so its request does not proceed.
    pub fn current(&self, now: Timestamp) -> Result<&EdgePublicKey, SealError> {
        let today = self.keys.get(&EdgeDay::of(now));
        let other = || self.keys.values().find(|key| self.window.may_seal(key.day(), now));
        today.or_else(other).ok_or(SealError::NoEdgeKey)
    }

    /// The window that its keys obey.
    #[must_use]
    pub const fn window(&self) -> EdgeWindow {
        self.window
    }
}
