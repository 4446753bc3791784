//! Avro single-object encoding (Avro 1.11 specification, "Single-object encoding"): `C3 01`, the eight-byte Rabin fingerprint of
//! the writer's schema, the record.

use std::sync::LazyLock;

use serde_avro_fast::{Schema, ser::SerializerConfig};

use crate::{
    envelope::Event,
    schema::{EVENT_SCHEMA_JSON, RELEASED_SCHEMAS_JSON},
};

/// The event cannot be written by the schema: a defect, not a matter of input.
#[derive(Debug, thiserror::Error)]
#[error("event cannot be encoded")]
pub struct EncodeError(#[source] pub(crate) serde_avro_fast::ser::SerError);

/// The bytes are not an event of a known schema.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The header is missing or names a schema that this program does not know.
    #[error("bytes carry no known schema fingerprint")]
    UnknownSchema,
    /// The body does not follow its schema.
    #[error("bytes do not follow their schema")]
    Malformed,
}

static CURRENT: LazyLock<Option<Schema>> = LazyLock::new(|| EVENT_SCHEMA_JSON.parse().ok());

/// Writes events; keeps its buffers, so make one per thread or task.
pub struct Encoder {
    config: SerializerConfig<'static>,
}

impl Encoder {
    /// An encoder by the current schema; nothing if the compiled-in schema does not parse, which a test rules out.
    #[must_use]
    pub fn new() -> Option<Self> {
        CURRENT.as_ref().map(|schema| Self { config: SerializerConfig::new(schema) })
    }

    /// Appends the event to `buffer`.
    ///
    /// # Errors
    /// When the event does not fit the schema.
    pub fn encode_into(&mut self, event: &Event, buffer: &mut Vec<u8>) -> Result<(), EncodeError> {
        serde_avro_fast::to_single_object(event, buffer, &mut self.config).map(|_| ()).map_err(EncodeError)
    }

    /// The event as bytes of its own.
    ///
    /// # Errors
    /// When the event does not fit the schema.
    pub fn encode(&mut self, event: &Event) -> Result<Vec<u8>, EncodeError> {
        let mut buffer = Vec::with_capacity(512);
        self.encode_into(event, &mut buffer)?;
        Ok(buffer)
    }
}

/// Reads events written by any released schema version, and by those it was given.
pub struct Decoder {
    schemas: Vec<Schema>,
}

impl Decoder {
    /// A decoder for every released schema and later `others` (Avro JSON); unparsable ones are left out.
    #[must_use]
    pub fn new(others: &[&str]) -> Self {
        let released = RELEASED_SCHEMAS_JSON.into_iter().rev();
        let all = std::iter::once(EVENT_SCHEMA_JSON).chain(released).chain(others.iter().copied());
        Self { schemas: all.filter_map(|json| json.parse().ok()).collect() }
    }

    /// Reads one event.
    ///
    /// # Errors
    /// When the fingerprint is unknown or the body does not follow its schema.
    pub fn decode(&self, bytes: &[u8]) -> Result<Event, DecodeError> {
        let fingerprint = bytes.get(2..10).ok_or(DecodeError::UnknownSchema)?;
        let known = |schema: &&Schema| schema.rabin_fingerprint().as_slice() == fingerprint;
        let schema = self.schemas.iter().find(known).ok_or(DecodeError::UnknownSchema)?;
        serde_avro_fast::from_single_object_slice(bytes, schema).map_err(|_| DecodeError::Malformed)
    }
}
