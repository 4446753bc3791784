//! A tenant's text and the keys around it, all from replayable randomness.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use custody_seal::{
    Entropy, NoEntropyError, OpenedText, Part, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgeSealed, EdgeTerms, EdgeWindow, SegmentSealer},
    rest::{ContentSchema, ShredUnit, UnitKey},
};
use custody_types::{RequestId, Timestamp};
use sha2::{Digest, Sha256};

pub const SCHEMA: ContentSchema = ContentSchema(1);
/// 2026-11-21T12:00:00Z.
pub const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

/// SHA-256 of a seed and a counter.
pub struct SeededEntropy {
    seed: u64,
    drawn: u64,
}

impl SeededEntropy {
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
        for chunk in bytes.chunks_mut(32) {
            self.drawn += 1;
            let block = Sha256::digest([self.seed.to_be_bytes(), self.drawn.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

pub fn window() -> EdgeWindow {
    EdgeWindow::new(Duration::from_secs(3_600), Duration::from_secs(7 * 86_400))
}

pub fn context() -> TextContext {
    TextContext {
        tenant: "acme".parse().unwrap(),
        person: Some("p-1f3a".parse().unwrap()),
        request: RequestId::from_uuid(uuid::Uuid::from_u128(0x0193_4fd2_7c00_7000_8000_0000_0000_0001)),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality".parse().unwrap(),
        retention: "short".parse().unwrap(),
    }
}

pub fn terms() -> EdgeTerms {
    EdgeTerms {
        content_id: "01934fd2-7c00-7000-8000-000000000009".into(),
        time: NOON,
        expires_on: 20_099,
        capability: "support.answer".into(),
        data_class: "confidential".into(),
        handling_rule: "support@3".into(),
        redaction: "default".into(),
    }
}

/// The terms with one field changed, for each field.
pub fn other_terms() -> Vec<EdgeTerms> {
    let one = terms();
    vec![
        EdgeTerms { content_id: "01934fd2-7c00-7000-8000-00000000000a".into(), ..one.clone() },
        EdgeTerms { time: Timestamp::from_micros(NOON.micros() + 1), ..one.clone() },
        EdgeTerms { expires_on: 20_100, ..one.clone() },
        EdgeTerms { capability: "docs.summarise".into(), ..one.clone() },
        EdgeTerms { data_class: "internal".into(), ..one.clone() },
        EdgeTerms { handling_rule: "support@4".into(), ..one.clone() },
        EdgeTerms { redaction: "lax".into(), ..one.clone() },
        // The same letters, otherwise divided.
        EdgeTerms { capability: "support.answerc".into(), data_class: "onfidential".into(), ..one },
    ]
}

/// The context with one field changed, for each field.
pub fn other_contexts() -> Vec<TextContext> {
    let one = context();
    let other_request = RequestId::from_uuid(uuid::Uuid::from_u128(0x0193_4fd2_7c00_7000_8000_0000_0000_0002));
    vec![
        TextContext { tenant: "globex".parse().unwrap(), ..one.clone() },
        TextContext { person: Some("p-2222".parse().unwrap()), ..one.clone() },
        TextContext { person: None, ..one.clone() },
        TextContext { request: other_request, ..one.clone() },
        TextContext { part: Part::Response, ..one.clone() },
        TextContext { part: Part::ToolArguments, ..one.clone() },
        TextContext { part: Part::RetrievedText, ..one.clone() },
        TextContext { ordinal: 1, ..one.clone() },
        TextContext { purpose: "abuse".parse().unwrap(), ..one.clone() },
        TextContext { retention: "long".parse().unwrap(), ..one },
    ]
}

/// A day's key pair, taken apart: what the gateway has, and what ingest has.
pub fn edge(seed: u64) -> (SegmentSealer, EdgeOpener) {
    let mut entropy = SeededEntropy::new(seed);
    let key = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut entropy).unwrap();
    let sealer = SegmentSealer::begin(key.public(), window(), &mut entropy).unwrap();
    let mut opener = EdgeOpener::new();
    opener.hold(key);
    (sealer, opener)
}

pub fn sealed_at_edge(sealer: &SegmentSealer, text: &[u8]) -> EdgeSealed {
    sealer.seal(&context(), &terms(), text, NOON).unwrap()
}

/// A text as ingest has it after opening.
pub fn opened(text: &[u8]) -> OpenedText {
    let (sealer, mut opener) = edge(77);
    opener.open(&sealed_at_edge(&sealer, text).bytes, &context(), &terms()).unwrap()
}

pub fn unit_key(seed: u64) -> UnitKey {
    UnitKey::generate(ShredUnit::of(&context(), NOON), &mut SeededEntropy::new(seed)).unwrap()
}

pub fn sealed_at_rest(key: &UnitKey, text: &[u8]) -> Vec<u8> {
    key.seal(SCHEMA, &context(), &opened(text), &mut SeededEntropy::new(5)).unwrap()
}

/// Runs a future that never waits for anything.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
