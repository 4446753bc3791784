//! The two halves of the work on opened text, off the async threads: opening, and redacting and sealing.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use custody_seal::{
    Entropy, OpenError, OpenedText, PseudonymKey, SealError, TextCommitment,
    edge::EdgeOpener,
    rest::{ContentSchema, UnitKey},
};
use custody_types::Fault;

use super::{redaction::RedactionRules, texts::SealedText};

/// A text and its sealed bytes.
pub(super) struct Fetched {
    pub(super) text: SealedText,
    pub(super) bytes: Bytes,
}

/// A text that opened, or why it did not.
pub(super) struct Opened {
    pub(super) text: SealedText,
    pub(super) bytes: Bytes,
    pub(super) opened: Result<OpenedText, NotOpened>,
}

/// Why a text did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// The key it names is not held here.
    UnknownKey,
    /// It never opens; the stable code says why.
    Never(&'static str),
}

/// What is to be sealed under which key.
pub(super) struct ToSeal {
    pub(super) text: SealedText,
    pub(super) opened: OpenedText,
    pub(super) key: Arc<UnitKey>,
    /// The tenant's, where the rules ask for pseudonyms.
    pub(super) pseudonyms: Option<Arc<PseudonymKey>>,
}

/// What came of it.
pub(super) struct Sealed {
    pub(super) text: SealedText,
    pub(super) key: Arc<UnitKey>,
    pub(super) redactions: BTreeMap<String, u64>,
    pub(super) bytes: Result<SealedBytes, SealError>,
}

/// Both texts, sealed at rest.
pub(super) struct SealedBytes {
    pub(super) full: Vec<u8>,
    pub(super) redacted: Vec<u8>,
}

/// Opens a text for the context that its record states, and compares it with what its event says.
pub(super) fn open(opener: &mut EdgeOpener, fetched: Fetched) -> Opened {
    let Fetched { text, bytes } = fetched;
    let opened = match opener.open(&bytes, &text.context, &text.terms()) {
        Ok(opened) if is_as_its_event_says(&text, &opened) => Ok(opened),
        Ok(_) => Err(NotOpened::Never("commitment_differs")),
        Err(OpenError::UnknownKey) => Err(NotOpened::UnknownKey),
        Err(error @ (OpenError::Format(_) | OpenError::NotAuthentic)) => Err(NotOpened::Never(error.code())),
    };
    Opened { text, bytes, opened }
}

fn is_as_its_event_says(text: &SealedText, opened: &OpenedText) -> bool {
    let stated: Option<[u8; 32]> = text.record.commitment.0.as_slice().try_into().ok();
    stated.is_some_and(|stated| TextCommitment::from_bytes(stated) == opened.commitment())
}

/// Redacts, then seals both texts under the key of their unit.
pub(super) fn seal(work: ToSeal, rules: &RedactionRules, entropy: &mut dyn Entropy) -> Sealed {
    let ToSeal { text, opened, key, pseudonyms } = work;
    let (left, redactions) = rules.redact(&text.record.redaction, opened.text(), pseudonyms.as_deref());
    let redacted = opened.with_text(left);
    let mut seal = |schema, opened: &OpenedText| key.seal(schema, &text.context, opened, entropy);
    let bytes = seal(ContentSchema::FULL_TEXT, &opened)
        .and_then(|full| Ok(SealedBytes { full, redacted: seal(ContentSchema::REDACTED_TEXT, &redacted)? }));
    Sealed { text, key, redactions, bytes }
}
