//! The sealing side: one sealer a journal segment, shared by the tasks that write to it.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use custody_types::Timestamp;

use super::{
    day::{EdgeDay, EdgeWindow},
    hpke_export,
    public_key::{EdgeKeyId, EdgePublicKey},
    record::{Segment, bound},
    terms::EdgeTerms,
};
use crate::{
    commitment::TextCommitment,
    entropy::{Entropy, draw},
    error::SealError,
    one_use::{MAX_TEXTS_PER_KEY, OneUse, Use},
    secret::SecretKey,
    text_context::TextContext,
};

/// What a text's commitment salt is derived as; ingest derives it again.
pub(super) const SALT_ROLE: &[u8] = b"text salt";

/// Seals texts of one segment. It can't be cloned: a place in the segment is handed out once, and with it a key.
pub struct SegmentSealer {
    segment: Segment,
    day: EdgeDay,
    window: EdgeWindow,
    secret: SecretKey,
    next_place: AtomicU64,
}

/// A sealed text and what its event says of it.
#[derive(Debug, Clone)]
pub struct EdgeSealed {
    /// For the content stream.
    pub bytes: Vec<u8>,
    /// For the event.
    pub commitment: TextCommitment,
}

impl SegmentSealer {
    /// Begins a segment: one encapsulation under fresh randomness, so that no two segments share a secret, not even those of one
    /// journal that is opened again.
    ///
    /// # Errors
    /// When there is no randomness, or the key is none to agree on a secret with.
    pub fn begin(key: &EdgePublicKey, window: EdgeWindow, entropy: &mut dyn Entropy) -> Result<Self, SealError> {
        let id = draw(entropy)?;
        let (encapsulated, secret) = hpke_export::encapsulate(key.key(), &Segment::info(key.id(), &id), entropy)?;
        let segment = Segment { key: key.id(), id, encapsulated };
        Ok(Self { segment, day: key.day(), window, secret, next_place: AtomicU64::new(0) })
    }

    /// The key it seals to.
    #[must_use]
    pub const fn key(&self) -> EdgeKeyId {
        self.segment.key
    }

    /// Seals one text of one request, on the terms on which it is kept.
    ///
    /// # Errors
    /// When the day's key is over (begin a new segment), the segment has sealed all it may, or the text is too long.
    pub fn seal(&self, context: &TextContext, terms: &EdgeTerms, text: &[u8], now: Timestamp) -> Result<EdgeSealed, SealError> {
        if !self.window.may_seal(self.day, now) {
            return Err(SealError::EdgeKeyOver);
        }
        let place = self.take_place()?;
        let prefix = self.segment.prefix(place);
        let one_use = OneUse::new(&self.secret, Use::EdgeText, &prefix, &bound(context, terms));
        let commitment = TextCommitment::of(&one_use.derive(SALT_ROLE), text);
        Ok(EdgeSealed { bytes: one_use.seal(&prefix, &[], text)?, commitment })
    }

    fn take_place(&self) -> Result<u64, SealError> {
        let next = |place: u64| (place < MAX_TEXTS_PER_KEY).then_some(place.saturating_add(1));
        self.next_place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map_err(|_| SealError::KeyExhausted)
    }
}

impl fmt::Debug for SegmentSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentSealer").field("key", &self.segment.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
