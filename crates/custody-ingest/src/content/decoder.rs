//! Records of the content stream to texts. What only closes a request is in neither rows nor dead letters: it was read, that is all.
//!
//! A dead letter keeps the bytes as they came. They are sealed to the key of a day, so they can't be read once that key is destroyed.

use std::sync::Arc;

use custody_event::{ContentRecord, DecodeError};
use custody_lake::{DeadLetter, DeadLetterReason};
use custody_types::{EventId, LogRecord};

use super::texts::{SealedText, SealedTexts};
use crate::Decode;

const COMMITMENT_BYTES: usize = 32;

/// The days that a table can be partitioned by: 1970 to 9999.
const DAYS: std::ops::RangeInclusive<i32> = 0..=2_932_896;

/// The microseconds of those days.
const MICROS: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999_999;

/// Decodes the content stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContentDecoder;

enum Read {
    Text(SealedText),
    End,
    Poison(DeadLetterReason),
}

impl Decode for ContentDecoder {
    type Rows = SealedTexts;

    fn decode(&mut self, partition: &str, records: &[LogRecord]) -> (SealedTexts, Vec<DeadLetter>) {
        let partition: Arc<str> = Arc::from(partition);
        let (mut texts, mut letters) = (Vec::with_capacity(records.len()), Vec::new());
        for record in records {
            match read(&partition, record) {
                Read::Text(text) => texts.push(text),
                Read::End => {}
                Read::Poison(reason) => letters.push(DeadLetter::new(record, reason)),
            }
        }
        (SealedTexts(texts), letters)
    }
}

fn read(partition: &Arc<str>, place: &LogRecord) -> Read {
    if place.damaged {
        return Read::Poison(DeadLetterReason::Damaged);
    }
    let record = match ContentRecord::decode(&place.payload) {
        Ok(record) => record,
        Err(DecodeError::UnknownSchema) => return Read::Poison(DeadLetterReason::UnknownSchema),
        Err(_) => return Read::Poison(DeadLetterReason::Malformed),
    };
    if record.is_end() {
        return Read::End;
    }
    if !MICROS.contains(&record.time.micros()) || !DAYS.contains(&record.expires_on) {
        return Read::Poison(DeadLetterReason::TimeOutOfRange);
    }
    if !is_whole(&record) {
        return Read::Poison(DeadLetterReason::Malformed);
    }
    SealedText::of(record, partition, place).map_or(Read::Poison(DeadLetterReason::Malformed), Read::Text)
}

/// The text is here or in a claim of its own, and its commitment can be compared.
fn is_whole(record: &ContentRecord) -> bool {
    let is_one_place = record.sealed.is_some() != record.claim.is_some();
    let has_own_claim = record.claim.as_ref().is_none_or(|claim| claim.ends_with(&*record.content_id) && claim.starts_with("claims/edge/"));
    let has_id = record.content_id.parse::<EventId>().is_ok();
    is_one_place && has_own_claim && has_id && record.commitment.0.len() == COMMITMENT_BYTES && record.bytes >= 0
}
