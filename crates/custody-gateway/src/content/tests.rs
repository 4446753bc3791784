//! Which key seals when.

use std::{collections::BTreeSet, sync::Mutex};

use custody_seal::{
    Part, SealError, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgePublicKeys, EdgeTerms, EdgeWindow},
};
use custody_types::{RequestId, Timestamp};

use super::*;
use crate::system::SystemEntropy;

const DAY: i64 = 86_400_000_000;
const MINUTE: i64 = 60_000_000;

/// Keys that are published as days come.
struct Calendar {
    public: Mutex<EdgePublicKeys>,
    opener: Mutex<EdgeOpener>,
}

impl Calendar {
    fn new() -> Arc<Self> {
        let window = EdgeWindow::new(std::time::Duration::from_secs(600), std::time::Duration::from_secs(86_400));
        Arc::new(Self { public: Mutex::new(EdgePublicKeys::new(window)), opener: Mutex::new(EdgeOpener::new()) })
    }

    fn publish(&self, day: i32) {
        let key = EdgePrivateKey::generate(EdgeDay::from_number(day), &mut SystemEntropy).unwrap();
        self.public.lock().unwrap().publish(key.public().clone(), Timestamp::from_micros(i64::from(day) * DAY));
        self.opener.lock().unwrap().hold(key);
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        self.opener.lock().unwrap().open(sealed, &context(), &EdgeTerms::default()).unwrap().text().expose().to_vec()
    }
}

impl EdgeKeySource for Calendar {
    fn keys(&self) -> Arc<EdgePublicKeys> {
        Arc::new(self.public.lock().unwrap().clone())
    }
}

fn context() -> TextContext {
    TextContext {
        tenant: "acme".parse().unwrap(),
        person: None,
        request: RequestId::from_uuid(uuid::Uuid::from_u128(7)),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality-review".parse().unwrap(),
        retention: "short".parse().unwrap(),
    }
}

/// The bytes that tell segments apart: key id and segment id.
fn segment(sealed: &[u8]) -> Vec<u8> {
    sealed[6..38].to_vec()
}

// The overlap at midnight: the new day's key as soon as it is there, the old one until then, none once its time is over.
#[test]
fn the_key_changes_with_the_day_and_the_old_one_helps_out() {
    let calendar = Calendar::new();
    let sealers = Sealers::new(calendar.clone());
    calendar.publish(100);
    let at = |day: i64, minutes: i64| Timestamp::from_micros(day * DAY + minutes * MINUTE);
    let day_of = |now| sealers.seal(&context(), &EdgeTerms::default(), b"text", now).map(|(_, day)| day.number());
    assert_eq!((day_of(at(100, 5)), day_of(at(100, 1439))), (Ok(100), Ok(100)));
    assert_eq!(day_of(at(101, 5)), Ok(100), "tomorrow's key came late");
    assert_eq!(day_of(at(101, 11)), Err(SealError::NoEdgeKey));
    calendar.publish(101);
    assert_eq!((day_of(at(101, 12)), day_of(at(101, 700))), (Ok(101), Ok(101)));
}

#[test]
fn a_segment_takes_many_texts_and_ends_with_its_day_or_its_room() {
    let calendar = Calendar::new();
    let sealers = Sealers::with_room(calendar.clone(), 64 << 10);
    calendar.publish(100);
    let now = Timestamp::from_micros(100 * DAY + MINUTE);
    let seal = |text: &[u8], now| sealers.seal(&context(), &EdgeTerms::default(), text, now).unwrap().0.bytes;
    let small: BTreeSet<_> = (0..50).map(|_| segment(&seal(b"text", now))).collect();
    assert_eq!(small.len(), 1, "one encapsulation for many texts");
    let piece = vec![b'x'; 20 << 10];
    let large: Vec<_> = (0..4).map(|_| segment(&seal(&piece, now))).collect();
    assert_eq!(large.iter().collect::<BTreeSet<_>>().len(), 2, "a new segment once the first has its bytes");
    calendar.publish(101);
    let tomorrow = seal(b"text", Timestamp::from_micros(101 * DAY + MINUTE));
    assert!(!large.contains(&segment(&tomorrow)));
    assert_eq!(calendar.open(&tomorrow), b"text");
}
