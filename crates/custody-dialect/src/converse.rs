//! Bedrock's Converse form, both ways. A caller's `modelId` stands in the path and names a capability, never a model (D9).
//!
//! ```text
//! Kept       messages (user, assistant, system) with text, image and document bytes or text, toolUse, toolResult (status, text,
//!            json, image, document), reasoningContent and cachePoint; system; inferenceConfig; toolConfig (toolSpec with strict,
//!            cachePoint, toolChoice); outputConfig; serviceTier; performanceConfig; requestMetadata as the caller's tags
//! Dropped    a document's name (a new one is generated); citations switched off
//! Refused    guardrailConfig            guardrails are the gateway's; a caller's would stand in for them
//!            guardContent               with one such block a guardrail looks at nothing else, so a caller could blind it
//!            s3Location                 it would be read with the gateway's rights
//!            additionalModelRequestFields, additionalModelResponseFieldPaths
//!                                       unless empty: they change a model in ways no rule here knows
//!            promptVariables            unless empty: prompts come from the registry
//!            citations switched on; systemTool and server_tool_use, which would run outside the gateway; video, audio, searchResult,
//!            citationsContent, toolAddition, toolRemoval
//! Unknown    anything else, by its path and never by its value
//! ```
//! A tool's results come first in a user's message and an assistant's tool calls last, whatever order they were sent in: that is
//! what models ask for, and what OpenAI's form can say.

mod blocks;
mod check;
mod event_writer;
mod exception;
mod facts;
mod frame;
mod guardrail;
mod parse_answer;
mod parse_block;
mod parse_media;
mod parse_message;
mod parse_request;
mod parse_tools;
mod render_answer;
mod render_block;
mod render_message;
mod render_request;
mod render_tools;
mod stream;
mod usage;
mod wire_event;

pub use crate::openai::Limits;
pub use check::is_metadata;
pub use event_writer::EventWriter;
pub use exception::{ERROR_TYPE_HEADER, Exception, exception_body};
pub use frame::EVENT_STREAM;
pub use guardrail::parse_guardrail_trace;
pub use parse_answer::parse_answer;
pub use parse_request::parse_request;
pub use render_answer::render_answer;
pub use render_request::render_request;
pub use stream::StreamDecoder;
