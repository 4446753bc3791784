//! What the simulated gateway writes, and how it becomes bytes and rows. Most seeds use plain bytes, a part of them the product's
//! own Avro and Arrow.

use std::sync::Arc;

use bytes::Bytes;
use custody_event::{Control, Cost, Encoder, Envelope, Event, Invocation, Kind, Outcome, Prompt, Request, Route, Validation};
use custody_ingest::{Decode, FoundLetters, KeyedRows};
use custody_lake::{DeadLetter, DeadLetterReason, EventDecoder, EventRows, RowKey};
use custody_types::{LogRecord, Timestamp};

/// One record that the gateway hands to its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Its event id; never used twice.
    pub id: u64,
    /// The request it belongs to; zero for none.
    pub request: u64,
    pub role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Request,
    Prompt,
    Route,
    Invocation,
    Validation,
    Cost,
    Outcome,
    Control,
    /// Bytes that no decoder reads.
    Poison,
}

/// Facts to bytes and bytes to rows.
pub trait Codec {
    type Rows: KeyedRows + Clone + Send + Sync + 'static;
    type Decoder: Decode<Rows = Self::Rows> + 'static;
    fn encode(&mut self, fact: Fact) -> Bytes;
    fn decoder(&self) -> Self::Decoder;
}

const POISON: &[u8] = b"\0poison";

/// The event id in rows.
pub fn event_id(id: u64) -> String {
    format!("{id:x}")
}

/// The fact behind a row.
pub fn id_of_row(event_id: &str) -> Option<u64> {
    u64::from_str_radix(event_id, 16).ok()
}

/// The fact behind a dead letter.
pub fn id_of_letter(payload: &[u8]) -> Option<u64> {
    let id = payload.strip_prefix(POISON)?;
    id.try_into().ok().map(u64::from_le_bytes)
}

fn poison(id: u64) -> Bytes {
    [POISON, &id.to_le_bytes()].concat().into()
}

/// Bytes that cost nothing to read.
pub struct Plain;

pub struct PlainDecoder;

#[derive(Debug, Clone, Default)]
pub struct PlainRows(Vec<RowKey>);

/// Dead letters as their fake table keeps them, each with its log partition.
#[derive(Debug, Clone)]
pub struct Letters(pub Vec<(String, DeadLetter)>);

impl From<FoundLetters> for Letters {
    fn from(found: FoundLetters) -> Self {
        let FoundLetters { partition, letters, .. } = found;
        Self(letters.into_iter().map(|letter| (partition.clone(), letter)).collect())
    }
}

impl Codec for Plain {
    type Rows = PlainRows;
    type Decoder = PlainDecoder;

    fn encode(&mut self, fact: Fact) -> Bytes {
        if fact.role == Role::Poison {
            return poison(fact.id);
        }
        let padding = vec![b'.'; (fact.id % 90) as usize];
        [b"F", fact.id.to_le_bytes().as_slice(), &padding].concat().into()
    }

    fn decoder(&self) -> PlainDecoder {
        PlainDecoder
    }
}

impl Decode for PlainDecoder {
    type Rows = PlainRows;

    fn decode(&mut self, _partition: &str, records: &[LogRecord]) -> (PlainRows, Vec<DeadLetter>) {
        let (mut rows, mut letters) = (PlainRows::default(), Vec::new());
        for record in records {
            match record.payload.strip_prefix(b"F").and_then(|rest| rest.first_chunk::<8>()) {
                Some(id) if !record.damaged => {
                    let event_id = event_id(u64::from_le_bytes(*id));
                    rows.0.push(RowKey { position: record.position, source: record.source, seq: record.seq, event_id });
                }
                _ => letters.push(DeadLetter::new(record, DeadLetterReason::Malformed)),
            }
        }
        (rows, letters)
    }
}

impl KeyedRows for PlainRows {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn keys(&self) -> Vec<RowKey> {
        self.0.clone()
    }

    fn retain(&mut self, keep: &dyn Fn(&RowKey) -> bool) {
        self.0.retain(|key| keep(key));
    }

    fn append(&mut self, more: Self) {
        self.0.extend(more.0);
    }
}

/// The product's own encoding and decoding.
pub struct Real(Encoder);

impl Real {
    pub fn new() -> Self {
        Self(Encoder::new().expect("the compiled-in schema parses"))
    }
}

impl Codec for Real {
    type Rows = EventRows;
    type Decoder = EventDecoder;

    fn encode(&mut self, fact: Fact) -> Bytes {
        let kind = match fact.role {
            Role::Poison => return poison(fact.id),
            Role::Request => Kind::Request(Request::default()),
            Role::Prompt => Kind::Prompt(Prompt::default()),
            Role::Route => Kind::Route(Route::default()),
            Role::Invocation => Kind::Invocation(Invocation::default()),
            Role::Validation => Kind::Validation(Validation::default()),
            Role::Cost => Kind::Cost(Cost::default()),
            Role::Outcome => Kind::Outcome(Outcome::default()),
            Role::Control => Kind::Control(Control::default()),
        };
        let envelope = Arc::new(Envelope { tenant: "acme".into(), ..Envelope::default() });
        let time = Timestamp::from_micros(1_700_000_000_000_000);
        let event = Event { event_id: event_id(fact.id).into(), time, envelope, kind };
        self.0.encode(&event).expect("a plain event fits its schema").into()
    }

    fn decoder(&self) -> EventDecoder {
        EventDecoder::new().expect("the compiled-in schemas parse")
    }
}
