//! Wire dialects in both directions: what callers and model providers say, as one neutral request and one neutral answer.
//!
//! ```text
//! caller ──body───▶ openai::parse_chat_request, converse::parse_request ──▶ ChatRequest
//!                   ChatRequest ──▶ openai::render_chat_request, converse::render_request ──▶ provider
//! caller ◀──body─── openai::render_chat_answer, converse::render_answer ◀── ChatAnswer
//!                   ChatAnswer ◀── openai::parse_chat_answer, converse::parse_answer ◀── provider
//! caller ◀──stream─ openai::ChunkWriter, converse::EventWriter ◀── StreamEvent
//!                   StreamEvent ◀── openai::StreamDecoder, converse::StreamDecoder ◀── provider
//!                   StreamEvent ──▶ Assembler ──▶ ChatAnswer (to validate, hash and count)
//! ```
//!
//! Pure: bytes in, values out. It never decides whether a request may run, never adds prompt text by itself, and no error of it
//! contains text of a request or an answer.

mod answer;
mod answer_format;
mod assemble;
pub mod converse;
mod deltas;
mod details;
mod fields;
mod finish;
mod labels;
mod media;
mod message;
pub mod openai;
mod request;
mod request_error;
mod sensitive_json;
mod sse;
mod tool_json;
mod tools;
mod upstream_error;
mod usage;

pub use answer::{ChatAnswer, Delta, ReasoningDelta, StreamEvent, ToolCall, ToolCallDelta};
pub use answer_format::{AnswerFormat, JsonSchemaFormat};
pub use assemble::Assembler;
pub use details::{AnswerDetails, GuardrailAssessment, GuardrailFinding, GuardrailPolicy, GuardrailSide, guardrail_word};
pub use finish::FinishReason;
pub use media::{Document, DocumentFormat, DocumentSource, ImageFormat, ImageSource};
pub use message::{CacheLifetime, CachePoint, Content, Message, Part, Reasoning, Role};
pub use request::{ChatRequest, LatencyMode, Options, ServiceTier, ToolCachePoint};
pub use request_error::{RequestError, RequestErrorCode};
pub use sensitive_json::SensitiveJson;
pub use sse::SseReader;
pub use tools::{ToolChoice, ToolSpec};
pub use upstream_error::{ProviderError, UpstreamError};
pub use usage::{ConverseUsage, RawUsage};
