//! What the targets of sealed formats share: a text's context, and randomness that is the same in every run.

use custody_seal::{Entropy, NoEntropyError, Part, TextContext};
use custody_types::{RequestId, Timestamp};

/// 2026-11-21T12:00:00Z.
pub const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

/// Counts. No secret of a fuzz run is one.
pub struct SeededEntropy {
    next: u8,
}

impl SeededEntropy {
    /// The same in every run.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: 1 }
    }
}

impl Default for SeededEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
        bytes.fill(self.next);
        self.next = self.next.wrapping_add(1);
        Ok(())
    }
}

/// A text of one tenant's person.
#[must_use]
pub fn context() -> TextContext {
    TextContext {
        tenant: "acme".parse().expect("a tenant"),
        person: Some("p-1".parse().expect("a person")),
        request: RequestId::from_uuid(uuid::Uuid::nil()),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality".parse().expect("a purpose"),
        retention: "short".parse().expect("a class"),
    }
}
