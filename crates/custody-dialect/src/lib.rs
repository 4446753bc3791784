//! Wire dialects in both directions: what callers and model providers say, as one neutral request and one neutral answer.
//!
//! ```text
//! caller ──body──▶ openai::parse_chat_request ──▶ ChatRequest ──▶ openai::render_chat_request ──▶ provider
//! caller ◀──body── openai::render_chat_answer ◀── ChatAnswer  ◀── openai::parse_chat_answer  ◀── provider
//! caller ◀──SSE─── openai::ChunkWriter ◀── StreamEvent ◀── openai::StreamDecoder ◀── provider
//!                                          StreamEvent ──▶ Assembler ──▶ ChatAnswer (to validate, hash and count)
//! ```
//!
//! Pure: bytes in, values out. It never decides whether a request may run, never adds prompt text by itself, and no error of it
//! contains text of a request or an answer.

mod answer;
mod assemble;
pub mod openai;
mod request;
mod sensitive_json;
mod sse;
mod upstream_error;
mod usage;

pub use answer::{ChatAnswer, Delta, FinishReason, StreamEvent, ToolCall, ToolCallDelta};
pub use assemble::Assembler;
pub use request::{ChatRequest, Content, Message, Options, Part, Role};
pub use sensitive_json::SensitiveJson;
pub use sse::SseReader;
pub use upstream_error::{ProviderError, UpstreamError};
pub use usage::RawUsage;
