//! Which sealer a text gets: one encapsulation for as many texts as fill a journal segment, a new one when the day's key changes.

use std::sync::{Arc, Mutex, PoisonError};

use custody_seal::{
    SealError, TextContext,
    edge::{EdgeDay, EdgeSealed, EdgeTerms, SegmentSealer},
};
use custody_types::Timestamp;

use super::ports::EdgeKeySource;
use crate::system::SystemEntropy;

/// As much as a segment of the content journal holds.
const SEGMENT_BYTES: usize = 64 << 20;

/// Hands out the sealer in use.
pub(super) struct Sealers {
    keys: Arc<dyn EdgeKeySource>,
    room: usize,
    current: Mutex<Option<Current>>,
}

/// A sealer, and the day of the key that it seals to.
#[derive(Clone)]
struct Segment {
    sealer: Arc<SegmentSealer>,
    day: EdgeDay,
}

struct Current {
    segment: Segment,
    bytes: usize,
}

impl Sealers {
    pub(super) const fn new(keys: Arc<dyn EdgeKeySource>) -> Self {
        Self::with_room(keys, SEGMENT_BYTES)
    }

    /// Each encapsulation is for so many bytes of text.
    pub(super) const fn with_room(keys: Arc<dyn EdgeKeySource>, room: usize) -> Self {
        Self { keys, room, current: Mutex::new(None) }
    }

    /// Whether a text that came now could be sealed.
    pub(super) fn has_key(&self, now: Timestamp) -> bool {
        self.keys.keys().current(now).is_ok()
    }

    /// Seals one text, and says to the key of which day.
    pub(super) fn seal(
        &self,
        context: &TextContext,
        terms: &EdgeTerms,
        text: &[u8],
        now: Timestamp,
    ) -> Result<(EdgeSealed, EdgeDay), SealError> {
        let segment = self.take(text.len(), now, false)?;
        match segment.sealer.seal(context, terms, text, now) {
            Err(SealError::EdgeKeyOver | SealError::KeyExhausted) => {
                let segment = self.take(text.len(), now, true)?;
                Ok((segment.sealer.seal(context, terms, text, now)?, segment.day))
            }
            sealed => Ok((sealed?, segment.day)),
        }
    }

    /// The segment in use, while its key is the one to use and it has room; else a new one.
    fn take(&self, bytes: usize, now: Timestamp, anew: bool) -> Result<Segment, SealError> {
        let keys = self.keys.keys();
        let key = keys.current(now)?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = current.as_mut().filter(|current| !anew && current.segment.sealer.key() == key.id()) {
            current.bytes = current.bytes.saturating_add(bytes);
            if current.bytes <= self.room {
                return Ok(current.segment.clone());
            }
        }
        let sealer = Arc::new(SegmentSealer::begin(key, keys.window(), &mut SystemEntropy)?);
        let segment = Segment { sealer, day: key.day() };
        *current = Some(Current { segment: segment.clone(), bytes });
        Ok(segment)
    }
}
