//! Which day's key seals when, and when it must be gone.

use custody_seal::{
    SealError,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgePublicKey, EdgePublicKeys, SegmentSealer},
};
use custody_types::Timestamp;

use crate::support::{SeededEntropy, context, terms, window};

const HOUR: i64 = 3_600_000_000;
const DAY: i32 = 20_000;

fn key(day: i32) -> EdgePrivateKey {
    EdgePrivateKey::generate(EdgeDay::from_number(day), &mut SeededEntropy::new(day.unsigned_abs().into())).unwrap()
}

/// A time so many microseconds after the day begins.
fn at(day: i32, micros: i64) -> Timestamp {
    Timestamp::from_micros(i64::from(day) * 24 * HOUR + micros)
}

fn known(days: &[i32], now: Timestamp) -> EdgePublicKeys {
    let mut keys = EdgePublicKeys::new(window());
    days.iter().for_each(|day| keys.publish(key(*day).public().clone(), now));
    keys
}

#[test]
fn todays_key_seals_and_its_neighbours_stand_in_within_the_overlap() {
    let day = |keys: &EdgePublicKeys, now| keys.current(now).map(EdgePublicKey::day).map(EdgeDay::number);
    let noon = at(DAY, 12 * HOUR);
    let all = known(&[DAY - 1, DAY, DAY + 1], at(DAY, 0));
    assert_eq!(day(&all, noon), Ok(DAY));
    assert_eq!(day(&all, at(DAY, 0)), Ok(DAY));
    assert_eq!(day(&all, at(DAY, 24 * HOUR - 1)), Ok(DAY));

    let yesterdays = known(&[DAY - 1], at(DAY, 0));
    assert_eq!(day(&yesterdays, at(DAY, HOUR - 1)), Ok(DAY - 1), "the new key is late");
    assert_eq!(day(&yesterdays, at(DAY, HOUR)), Err(SealError::NoEdgeKey));

    let tomorrows = known(&[DAY + 1], noon);
    assert_eq!(day(&tomorrows, at(DAY, 23 * HOUR - 1)), Err(SealError::NoEdgeKey));
    assert_eq!(day(&tomorrows, at(DAY, 23 * HOUR)), Ok(DAY + 1), "this clock is behind");
}

#[test]
fn keys_whose_time_is_over_are_dropped_when_new_ones_come() {
    let mut keys = known(&[DAY - 2, DAY - 1], at(DAY - 1, HOUR));
    keys.publish(key(DAY).public().clone(), at(DAY, 2 * HOUR));
    assert_eq!(keys.current(at(DAY - 1, 12 * HOUR)).map(|_| ()), Err(SealError::NoEdgeKey));
    assert!(keys.current(at(DAY, 2 * HOUR)).is_ok());
}

#[test]
fn a_segment_open_at_midnight_seals_until_the_overlap_ends() {
    let sealer = SegmentSealer::begin(key(DAY).public(), window(), &mut SeededEntropy::new(1)).unwrap();
    let seal = |now| sealer.seal(&context(), &terms(), b"text", now).map(|_| ());
    assert_eq!(seal(at(DAY, -HOUR - 1)), Err(SealError::EdgeKeyOver));
    assert_eq!(seal(at(DAY, -HOUR)), Ok(()));
    assert_eq!(seal(at(DAY + 1, HOUR - 1)), Ok(()));
    assert_eq!(seal(at(DAY + 1, HOUR)), Err(SealError::EdgeKeyOver));
}

#[test]
fn texts_of_both_days_open_around_midnight() {
    let mut opener = EdgeOpener::new();
    let sealers = [DAY, DAY + 1].map(|day| {
        let key = key(day);
        let sealer = SegmentSealer::begin(key.public(), window(), &mut SeededEntropy::new(1)).unwrap();
        opener.hold(key);
        sealer
    });
    for now in [at(DAY + 1, -HOUR), at(DAY + 1, HOUR - 1)] {
        for sealer in &sealers {
            let sealed = sealer.seal(&context(), &terms(), b"text", now).unwrap();
            assert!(opener.open(&sealed.bytes, &context(), &terms()).is_ok());
        }
    }
}

#[test]
fn a_private_key_is_due_once_the_stream_has_forgotten_its_last_text() {
    let mut opener = EdgeOpener::new();
    opener.hold(key(DAY));
    let last_text = at(DAY + 1, HOUR);
    let forgotten = Timestamp::from_micros(last_text.micros() + 7 * 24 * HOUR);
    assert_eq!(opener.due(window(), Timestamp::from_micros(forgotten.micros() - 1)), []);
    assert_eq!(opener.due(window(), forgotten), [key(DAY).public().id()]);
}
