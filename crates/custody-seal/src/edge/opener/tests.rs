use std::time::Duration;

use super::*;
use crate::{
    edge::{EdgeDay, SegmentSealer},
    test_entropy::SeededEntropy,
    text_context::Part,
};

fn context() -> TextContext {
    TextContext {
        tenant: "acme".parse().unwrap(),
        person: None,
        request: custody_types::RequestId::from_uuid(uuid::Uuid::nil()),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality".parse().unwrap(),
        retention: "short".parse().unwrap(),
    }
}

/// An opener, and a sealer of each of so many segments.
fn segments(count: usize) -> (EdgeOpener, Vec<SegmentSealer>) {
    let mut entropy = SeededEntropy::new(1);
    let key = EdgePrivateKey::generate(EdgeDay::from_number(0), &mut entropy).unwrap();
    let window = EdgeWindow::new(Duration::ZERO, Duration::ZERO);
    let sealers = (0..count).map(|_| SegmentSealer::begin(key.public(), window, &mut entropy).unwrap()).collect();
    let mut opener = EdgeOpener::new();
    opener.hold(key);
    (opener, sealers)
}

fn kept(opener: &EdgeOpener) -> usize {
    opener.keys.values().map(|held| held.secrets.len()).sum()
}

fn sealed(sealer: &SegmentSealer) -> Vec<u8> {
    sealer.seal(&context(), &EdgeTerms::default(), b"text", Timestamp::from_micros(0)).unwrap().bytes
}

#[test]
fn secrets_of_segments_are_kept_within_a_bound_and_found_again() {
    let (mut opener, sealers) = segments(SEGMENTS_KEPT + 2);
    for sealer in &sealers {
        assert!(opener.open(&sealed(sealer), &context(), &EdgeTerms::default()).is_ok());
        assert!(opener.open(&sealed(sealer), &context(), &EdgeTerms::default()).is_ok());
    }
    assert_eq!(kept(&opener), SEGMENTS_KEPT);
    assert!(opener.open(&sealed(&sealers[0]), &context(), &EdgeTerms::default()).is_ok());
    assert_eq!(kept(&opener), SEGMENTS_KEPT);
}

#[test]
fn made_up_segments_push_out_nothing() {
    let (mut opener, sealers) = segments(1);
    assert!(opener.open(&sealed(&sealers[0]), &context(), &EdgeTerms::default()).is_ok());
    for number in 0..3 {
        let mut forged = sealed(&sealers[0]);
        forged[22] ^= 1 + number;
        assert_eq!(opener.open(&forged, &context(), &EdgeTerms::default()).map(|_| ()), Err(OpenError::NotAuthentic));
    }
    assert_eq!(kept(&opener), 1);
}
