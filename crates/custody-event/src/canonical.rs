//! Canonical bytes: the evidence leaf of an event, defined apart from Avro (D6), so that the struct in the gateway, the row in
//! the lake and any other engine's reader agree on them, and adding a column changes no earlier leaf.
//!
//! ```text
//! leaf   = "custody-event-1" 00  kind-id(u32)  count(u32)  entry*          integers are big-endian
//! entry  = field-id(u32) value                                             ordered by field id, non-null fields only
//! value  = 01 bool(u8) | 02 integer(i64) | 03 len(u32) utf8 | 05 count(u32) value* | 06 count(u32) (len(u32) utf8 value)*
//!        | 07 count(u32) entry*
//! ```
//! Tag 05 is a list in its order, 06 a map sorted by key bytes, 07 a record inside a list. The fields of the one kind stand
//! beside the envelope's (ids are unique over all levels), and the kind's own id stands in front, so that a kind whose fields
//! are all null is still told apart. Timestamps are microseconds. An empty list or map is a value; null is left out. Lists and
//! maps that default to empty are left out when empty, so that a row written before the column existed gives the same bytes.

mod serializer;

use std::collections::BTreeMap;

use serde::Serialize;
pub use serializer::CanonicalError;

use crate::{envelope::Event, schema::SchemaTree};

const DOMAIN: &[u8] = b"custody-event-1\0";

/// A value in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Tag 01.
    Bool(bool),
    /// Tag 02: every integer and timestamp.
    Integer(i64),
    /// Tag 03.
    String(String),
    /// Tag 05.
    List(Vec<Value>),
    /// Tag 06.
    Map(BTreeMap<String, Value>),
    /// Tag 07: fields by id, nulls left out.
    Record(BTreeMap<u32, Value>),
}

impl Value {
    /// Whether the value is an empty list or map, which stands for an absent one.
    #[must_use]
    pub fn is_empty_collection(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Bool(_) | Self::Integer(_) | Self::String(_) | Self::Record(_) => false,
        }
    }
}

/// One event as its non-null fields by permanent id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalEvent {
    /// Field id of the kind that is set.
    pub kind_id: u32,
    /// Envelope and kind fields by id.
    pub fields: BTreeMap<u32, Value>,
}

impl CanonicalEvent {
    /// The fields of an event in memory.
    ///
    /// # Errors
    /// When the event has a field that the schema does not know: a drift that a test rules out.
    pub fn from_event(event: &Event) -> Result<Self, CanonicalError> {
        Self::by_schema(event, SchemaTree::current())
    }

    /// The fields of an event in memory, by another version of the schema.
    ///
    /// # Errors
    /// When the event has a field that this version does not know.
    pub fn by_schema(event: &Event, tree: &SchemaTree) -> Result<Self, CanonicalError> {
        let kind = tree.field(event.kind.name()).ok_or(CanonicalError::UnknownField)?;
        let mut fields = event.serialize(serializer::RecordSerializer::new(tree))?;
        if let Some(Value::Record(of_kind)) = fields.remove(&kind.id) {
            fields.extend(of_kind);
        }
        Ok(Self { kind_id: kind.id, fields })
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(DOMAIN);
        bytes.extend_from_slice(&self.kind_id.to_be_bytes());
        write_entries(&self.fields, &mut bytes);
        bytes
    }
}

/// The canonical bytes of an event in memory.
///
/// # Errors
/// When the event has a field that the schema does not know.
pub fn canonical_bytes(event: &Event) -> Result<Vec<u8>, CanonicalError> {
    CanonicalEvent::from_event(event).map(|canonical| canonical.to_bytes())
}

fn write_count(count: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    write_count(text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

fn write_entries(fields: &BTreeMap<u32, Value>, bytes: &mut Vec<u8>) {
    let present: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty_collection()).collect();
    write_count(present.len(), bytes);
    for (id, value) in present {
        bytes.extend_from_slice(&id.to_be_bytes());
        write_value(value, bytes);
    }
}

fn write_value(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Bool(flag) => bytes.extend_from_slice(&[1, u8::from(*flag)]),
        Value::Integer(number) => {
            bytes.push(2);
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        Value::String(text) => {
            bytes.push(3);
            write_text(text, bytes);
        }
        Value::List(items) => {
            bytes.push(5);
            write_count(items.len(), bytes);
            items.iter().for_each(|item| write_value(item, bytes));
        }
        Value::Map(entries) => {
            bytes.push(6);
            write_count(entries.len(), bytes);
            for (key, item) in entries {
                write_text(key, bytes);
                write_value(item, bytes);
            }
        }
        Value::Record(fields) => {
            bytes.push(7);
            write_entries(fields, bytes);
        }
    }
}
