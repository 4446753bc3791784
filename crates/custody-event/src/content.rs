//! Sealed texts on the content stream: field for field as `schemas/content/v1.avsc` has them, in Avro single-object encoding.

use std::{fmt, sync::LazyLock};

use custody_types::{Text, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};
use serde_avro_fast::{Schema, ser::SerializerConfig};

use crate::codec::{DecodeError, EncodeError};

/// The Avro schema of the content stream.
pub const CONTENT_SCHEMA_JSON: &str = include_str!("../../../schemas/content/v1.avsc");

/// The part of the record that closes a request in the stream and carries no text.
pub const END_PART: &str = "end";

static SCHEMA: LazyLock<Option<Schema>> = LazyLock::new(|| CONTENT_SCHEMA_JSON.parse().ok());

/// One sealed text, or the end of a request's texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRecord {
    /// UUID version 7 of the text.
    pub content_id: Text,
    /// UUID version 7 of the governed request.
    pub request_id: Text,
    /// When the text was sealed, by the gateway's clock.
    pub time: Timestamp,
    /// Tenant whose text it is.
    pub tenant: Text,
    /// Pseudonym of the person whose text it is.
    pub person: Option<Text>,
    /// Which text of the request, or [`END_PART`].
    pub part: Text,
    /// Which of its part, from 0.
    pub ordinal: i32,
    /// Why it is kept.
    pub purpose: Text,
    /// How long it may be kept.
    pub retention_class: Text,
    /// UTC date from which it is no longer kept, in days since 1970-01-01.
    pub expires_on: i32,
    /// Capability of the request.
    pub capability: Text,
    /// Data class of the request.
    pub data_class: Text,
    /// Rule that ordered the capture.
    pub handling_rule: Text,
    /// Name of the redaction rules for the text that analysts see.
    pub redaction: Text,
    /// Size of the text in bytes.
    pub bytes: i64,
    /// HMAC-SHA-256 of the text under the sealed salt, 32 bytes.
    pub commitment: Octets,
    /// The sealed text.
    pub sealed: Option<Octets>,
    /// Where the sealed text lies, where it is too large for the stream.
    pub claim: Option<Text>,
}

/// Bytes that Avro writes as `bytes`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Octets(pub Vec<u8>);

impl ContentRecord {
    /// Whether it only closes a request in the stream.
    #[must_use]
    pub fn is_end(&self) -> bool {
        &*self.part == END_PART
    }

    /// The record as bytes.
    ///
    /// # Errors
    /// When the record does not fit the schema, which would be a defect.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let schema = SCHEMA.as_ref().ok_or_else(|| EncodeError(serde::ser::Error::custom("the content schema does not parse")))?;
        let room = self.sealed.as_ref().map_or(0, |sealed| sealed.0.len());
        let mut buffer = Vec::with_capacity(512 + room);
        serde_avro_fast::to_single_object(self, &mut buffer, &mut SerializerConfig::new(schema)).map(|_| ()).map_err(EncodeError)?;
        Ok(buffer)
    }

    /// Reads one record.
    ///
    /// # Errors
    /// When the fingerprint is unknown or the body does not follow its schema.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let schema = SCHEMA.as_ref().ok_or(DecodeError::UnknownSchema)?;
        let fingerprint = bytes.get(2..10).ok_or(DecodeError::UnknownSchema)?;
        if schema.rabin_fingerprint().as_slice() != fingerprint {
            return Err(DecodeError::UnknownSchema);
        }
        serde_avro_fast::from_single_object_slice(bytes, schema).map_err(|_| DecodeError::Malformed)
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Taken;
        impl Visitor<'_> for Taken {
            type Value = Octets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Octets, E> {
                Ok(Octets(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ContentRecord {
        let text = |value: &str| Text::from(value);
        ContentRecord {
            content_id: text("019a0000-0000-7000-8000-000000000001"),
            request_id: text("019a0000-0000-7000-8000-000000000002"),
            time: Timestamp::from_micros(1_763_000_000_000_000),
            tenant: text("acme"),
            person: Some(text("p_1")),
            part: text("prompt"),
            ordinal: 0,
            purpose: text("quality-review"),
            retention_class: text("short"),
            expires_on: 20_800,
            capability: text("support.answer"),
            data_class: text("confidential"),
            handling_rule: text("support@3"),
            redaction: text("default"),
            bytes: 11,
            commitment: Octets(vec![7; 32]),
            sealed: Some(Octets(vec![1, 2, 3])),
            claim: None,
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        let written = record().encode().expect("the record fits its schema");
        assert_eq!(ContentRecord::decode(&written).expect("it was just written"), record());
        assert!(matches!(ContentRecord::decode(&written[..written.len() - 2]), Err(DecodeError::Malformed)));
        assert!(matches!(ContentRecord::decode(b"\xc3\x01not the schema"), Err(DecodeError::UnknownSchema)));
    }

    #[test]
    fn printing_shows_no_sealed_bytes() {
        assert!(format!("{:?}", record()).contains("sealed: Some(<3 bytes>)"));
    }
}
