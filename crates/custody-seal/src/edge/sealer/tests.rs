use std::{collections::HashSet, time::Duration};

use super::*;
use crate::{edge::EdgePrivateKey, test_entropy::SeededEntropy, text_context::Part};

fn sealer(seed: u64) -> SegmentSealer {
    let mut entropy = SeededEntropy::new(seed);
    let key = EdgePrivateKey::generate(EdgeDay::from_number(0), &mut SeededEntropy::new(99)).unwrap();
    let window = EdgeWindow::new(Duration::from_secs(3_600), Duration::from_secs(86_400));
    SegmentSealer::begin(key.public(), window, &mut entropy).unwrap()
}

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

#[test]
fn a_segment_stops_before_its_limit_is_exceeded() {
    let sealer = sealer(1);
    sealer.next_place.store(MAX_TEXTS_PER_KEY - 1, Ordering::Relaxed);
    assert!(sealer.seal(&context(), &EdgeTerms::default(), b"last", Timestamp::from_micros(0)).is_ok());
    for _ in 0..3 {
        assert_eq!(
            sealer.seal(&context(), &EdgeTerms::default(), b"more", Timestamp::from_micros(0)).map(|_| ()),
            Err(SealError::KeyExhausted)
        );
    }
}

#[test]
fn tasks_that_share_a_sealer_never_get_one_place_twice() {
    let sealer = sealer(1);
    let take = || (0..500).map(|_| sealer.take_place().unwrap()).collect::<Vec<_>>();
    let places: Vec<u64> = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        tasks.into_iter().flat_map(|task| task.join().unwrap()).collect()
    });
    assert_eq!(places.iter().collect::<HashSet<_>>().len(), 2_000);
}

#[test]
fn two_segments_share_neither_id_nor_secret() {
    let (one, other) = (sealer(1), sealer(2));
    assert_ne!(one.segment.id, other.segment.id);
    assert_ne!(one.segment.encapsulated, other.segment.encapsulated);
    assert_ne!(one.secret, other.secret);
}

/// A copy of a running machine has the same secret and counter. Its requests have other ids, and with them other keys.
#[test]
fn two_copies_of_one_sealer_seal_two_requests_under_two_keys() {
    let (one, copy) = (sealer(1), sealer(1));
    let mut other_request = context();
    other_request.request = custody_types::RequestId::from_uuid(uuid::Uuid::max());
    let first = one.seal(&context(), &EdgeTerms::default(), &[0; 64], Timestamp::from_micros(0)).unwrap();
    let second = copy.seal(&other_request, &EdgeTerms::default(), &[0; 64], Timestamp::from_micros(0)).unwrap();
    assert_eq!(first.bytes[..78], second.bytes[..78], "the same place of the same segment");
    assert_ne!(first.bytes[114..178], second.bytes[114..178], "the key stream is another");
    assert_ne!(first.commitment, second.commitment);
}
