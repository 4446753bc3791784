//! The real clock and the real source of identifiers: the one place of this crate that reads the wall clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use custody_seal::{Entropy, NoEntropyError};
use custody_types::{Clock, EventId, IdSource, RequestId, Timestamp};
use uuid::Uuid;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

/// UUIDs of version 7 from the operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

/// The operating system's randomness, for sealing.
pub(crate) struct SystemEntropy;

impl SystemClock {
    /// A clock whose monotonic side starts at zero now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock itself")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock itself")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
        getrandom::fill(bytes).map_err(|_| NoEntropyError)
    }
}

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the injected id source itself")]
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(Uuid::now_v7())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the injected id source itself")]
    fn event_id(&self) -> EventId {
        EventId::from_uuid(Uuid::now_v7())
    }
}
