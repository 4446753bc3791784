//! Texts that a data-handling rule keeps, on their way to the vault: rendered plainly, sealed to the public key of the day, durable in
//! the content journal. Nothing here can open them again (D4).
//!
//! ```text
//! before the call   prompt ─▶ sealed ─▶ content journal: admitted, with room for what the model will say
//!                                        │ its sync runs beside that of the intent; the model is called after both
//! after the call    answer, tool arguments ─▶ sealed ─▶ content journal: closed, then the outcome, then the release
//! ```
//! A text too large for the stream goes sealed to the vault's store, before its record is written. What a request may keep is bounded
//! so that the close fits the room that was reserved for it.

mod error;
mod ports;
mod recover;
mod render;
mod seal;
mod sealers;

use std::sync::Arc;

pub use self::{
    error::CaptureError,
    ports::{ClaimError, ClaimStore, ContentOutlet, EdgeKeySource},
    recover::{end_open_texts, end_orphaned_texts},
};
pub(crate) use self::{
    render::{PlainText, answer_texts, feedback_text, prompt_text},
    seal::{Now, SealedText, Subject, end_record},
};

use custody_types::Timestamp;

use self::sealers::Sealers;
use crate::recorder::Recorder;

/// Texts up to this size together stand in the record that closes a request; what is beyond goes to the vault's store.
pub(crate) const CLOSE_INLINE: usize = 64 << 10;

/// Room that the content journal must keep for closing one request: [`CLOSE_INLINE`] of text, and the records around it.
pub const CONTENT_RESERVE_BYTES: u64 = 192 << 10;

/// The gateway's side of the vault.
pub(crate) struct Content {
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) claim_above: usize,
    sealers: Arc<Sealers>,
    claims: Arc<dyn ClaimStore>,
}

impl Content {
    pub(crate) fn new(outlet: ContentOutlet, claim_above: usize) -> Self {
        let ContentOutlet { recorder, keys, claims } = outlet;
        Self { recorder, claim_above, sealers: Arc::new(Sealers::new(keys)), claims }
    }

    /// Why a text that came now could not be kept.
    pub(crate) fn why_not_ready(&self, now: Timestamp) -> Option<&'static str> {
        let stats = self.recorder.stats();
        if stats.failed {
            return Some("the content journal failed");
        }
        // The largest prompt that stands in the stream, and what the model will say.
        let of_a_prompt = u64::try_from(self.claim_above).unwrap_or(u64::MAX);
        if !stats.has_room(CONTENT_RESERVE_BYTES.saturating_add(of_a_prompt)) {
            return Some("the content journal is full");
        }
        (!self.sealers.has_key(now)).then_some("the vault has no key for today")
    }
}

#[cfg(test)]
mod tests;
