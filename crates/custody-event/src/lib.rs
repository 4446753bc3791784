//! The event contract: envelope, kinds, Avro codec and canonical bytes.
//!
//! `schemas/event/v1.avsc` is the source. The Rust types here, the lake's table and the SQL views are checked against it. One
//! event is one Avro record: the envelope, and one nullable record per kind, of which exactly one is set. Fields carry a
//! permanent `field-id`, from which the canonical bytes (the evidence leaf) are made, apart from Avro's own encoding.
//!
//! Does not know where events are kept: the journal's frame, with source and sequence, is `custody-log`'s.

pub mod canonical;
mod codec;
mod content;
mod envelope;
mod kinds;
mod schema;

pub use codec::{DecodeError, Decoder, EncodeError, Encoder};
pub use content::{CONTENT_SCHEMA_JSON, ContentRecord, END_PART, Octets};
pub use envelope::{Envelope, Event};
pub use kinds::{
    Access, Content, Control, Cost, Feedback, Guardrail, GuardrailFinding, Invocation, Kind, Outcome, Prompt, PromptPart, Request, Route,
    Validation, ValidationCheck,
};
pub use schema::{EVENT_SCHEMA_JSON, Field, FieldType, KIND_NAMES, RELEASED_SCHEMAS_JSON, SchemaTree};
