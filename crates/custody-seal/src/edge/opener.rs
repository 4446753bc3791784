//! The opening side: the private keys that are held, and the secrets of the segments seen last.

use std::collections::{BTreeMap, VecDeque};

use custody_types::Timestamp;

use super::{
    day::EdgeWindow,
    private_key::EdgePrivateKey,
    public_key::{EdgeKeyId, EdgePublicKey},
    record::{EdgeRecord, Segment},
    sealer::SALT_ROLE,
    terms::EdgeTerms,
};
use crate::{
    commitment::OpenedText,
    error::OpenError,
    one_use::{OneUse, Use},
    secret::SecretKey,
    text_context::TextContext,
};

/// Segments of which a key keeps the secret: one per gateway that writes at the same time, and room for those before.
const SEGMENTS_KEPT: usize = 256;

/// Opens what gateways sealed.
#[derive(Debug, Default)]
pub struct EdgeOpener {
    keys: BTreeMap<EdgeKeyId, Held>,
}

/// A key and what was computed with it; both go together.
#[derive(Debug)]
struct Held {
    key: EdgePrivateKey,
    secrets: BTreeMap<Segment, SecretKey>,
    oldest_first: VecDeque<Segment>,
}

impl EdgeOpener {
    /// Holds no key yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up a key.
    pub fn hold(&mut self, key: EdgePrivateKey) {
        let held = Held { key, secrets: BTreeMap::new(), oldest_first: VecDeque::new() };
        self.keys.insert(held.key.public().id(), held);
    }

    /// The keys that are held.
    pub fn held(&self) -> impl Iterator<Item = &EdgePublicKey> {
        self.keys.values().map(|held| held.key.public())
    }

    /// The keys that must be destroyed by now.
    #[must_use]
    pub fn due(&self, window: EdgeWindow, now: Timestamp) -> Vec<EdgeKeyId> {
        self.held().filter(|key| window.destroy_at(key.day()) <= now).map(EdgePublicKey::id).collect()
    }

    /// Forgets a key and every secret that was computed with it. What was sealed to it opens nowhere, once its wrapped copies
    /// are destroyed too.
    pub fn destroy(&mut self, key: EdgeKeyId) -> bool {
        self.keys.remove(&key).is_some()
    }

    /// Opens one text for the context in which it stands, and the terms that stand beside it.
    ///
    /// # Errors
    /// When the bytes are not of the format, their key is not held, or they are not the text of this context on these terms.
    pub fn open(&mut self, bytes: &[u8], context: &TextContext, terms: &EdgeTerms) -> Result<OpenedText, OpenError> {
        let record = EdgeRecord::read(bytes)?;
        let held = self.keys.get_mut(&record.segment.key).ok_or(OpenError::UnknownKey)?;
        let known = held.secrets.get(&record.segment);
        let computed = if known.is_none() { Some(held.compute(&record.segment)?) } else { None };
        let secret = known.or(computed.as_ref()).ok_or(OpenError::UnknownKey)?;
        let one_use = OneUse::new(secret, Use::EdgeText, record.prefix, &record.bound(context, terms));
        let text = one_use.open(&record.tail)?;
        if let Some(secret) = computed {
            held.keep(record.segment, secret);
        }
        Ok(OpenedText { salt: one_use.derive(SALT_ROLE), text })
    }
}

impl Held {
    fn compute(&self, segment: &Segment) -> Result<SecretKey, OpenError> {
        self.key.segment_secret(&segment.encapsulated, &Segment::info(segment.key, &segment.id))
    }

    /// Only after a record of the segment opened, so that made-up segments push out nothing.
    fn keep(&mut self, segment: Segment, secret: SecretKey) {
        if self.oldest_first.len() >= SEGMENTS_KEPT
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.secrets.remove(&oldest);
        }
        self.oldest_first.push_back(segment);
        self.secrets.insert(segment, secret);
    }
}

#[cfg(test)]
mod tests;
