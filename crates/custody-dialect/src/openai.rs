//! The OpenAI chat-completions form, both ways.
//!
//! Served: `model`, `messages` (system, developer, user, assistant, tool; text, `image_url` and `file` parts, the latter with the
//! file's bytes), `max_tokens` or `max_completion_tokens`, `temperature`, `top_p`, `presence_penalty`, `frequency_penalty`,
//! `n` = 1, `stop`, `seed`, `stream`, `stream_options`, `tools`, `tool_choice`, `parallel_tool_calls`, `response_format`,
//! `reasoning_effort`, `user`, `safety_identifier`, `metadata`.
//! Accepted and not passed on: `prompt_cache_key` (it would cross tenants), `service_tier` `auto` or `default`, `store: false`,
//! `logprobs: false`, `modalities: ["text"]`, and any optional field that is null.
//! Refused: other fields of the OpenAI API with `unsupported_field`, everything else with `unknown_field`. A field that this
//! gateway would drop in silence could change what an answer means, so none is.

mod parse_answer;
mod parse_message;
mod parse_part;
mod parse_request;
mod render_answer;
mod render_chunk;
mod render_content;
mod render_request;
mod stream;
mod usage;

pub use crate::{RequestError, RequestErrorCode};
pub use parse_answer::{parse_chat_answer, parse_error_body};
pub use parse_request::{Limits, parse_chat_request};
pub use render_answer::{AnswerHead, ErrorBody, ModelEntry, render_chat_answer, render_error, render_models};
pub use render_chunk::ChunkWriter;
pub use render_request::{UpstreamCall, render_chat_request};
pub use stream::{StreamDecoder, StreamLimits};
