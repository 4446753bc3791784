//! The kinds of event, field for field as `schemas/event/v1.avsc` has them.

mod kept;

use std::collections::BTreeMap;

use custody_types::{Text, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::kept::{Access, Content, Feedback};

/// What an event says; the closed set of kinds this version writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A request was received, identified and authorised or refused.
    Request(Request),
    /// The prompt was assembled.
    Prompt(Prompt),
    /// A route was chosen for an attempt.
    Route(Route),
    /// An attempt ended.
    Invocation(Invocation),
    /// The answer was checked.
    Validation(Validation),
    /// What an attempt cost.
    Cost(Cost),
    /// How the request ended.
    Outcome(Outcome),
    /// The platform itself was changed.
    Control(Control),
    /// A guardrail was applied.
    Guardrail(Guardrail),
    /// A text was sealed into the content stream.
    Content(Content),
    /// Someone asked to see what is kept.
    Access(Access),
    /// A user said something of an answer.
    Feedback(Feedback),
}

impl Kind {
    /// The name of the kind's field in the schema, which is also the envelope's `kind`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Prompt(_) => "prompt",
            Self::Route(_) => "route",
            Self::Invocation(_) => "invocation",
            Self::Validation(_) => "validation",
            Self::Cost(_) => "cost",
            Self::Outcome(_) => "outcome",
            Self::Control(_) => "control",
            Self::Guardrail(_) => "guardrail",
            Self::Content(_) => "content",
            Self::Access(_) => "access",
            Self::Feedback(_) => "feedback",
        }
    }
}

/// A request was received, identified and authorised or refused. PATH-01 to PATH-03.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Request {
    /// Wire dialect of the caller: openai or converse.
    pub dialect: Text,
    /// Operation: chat.
    pub operation: Text,
    /// Whether a streamed answer was asked for.
    pub stream: bool,
    /// Name the caller put into `model` or `modelId`, where it is a known capability.
    #[serde(default)]
    pub requested: Option<Text>,
    /// Keyed hash of that name, where it is not.
    #[serde(default)]
    pub requested_hash: Option<Text>,
    /// Number of messages.
    pub messages: i32,
    /// Size of the body in bytes.
    pub input_bytes: i64,
    /// Output limit the caller asked for.
    #[serde(default)]
    pub max_output_tokens: Option<i64>,
    /// Number of tool definitions.
    pub tools: i32,
    /// Keyed hash of the body, hex.
    #[serde(default)]
    pub input_hash: Option<Text>,
    /// allow or deny.
    pub decision: Text,
    /// Policies that decided. PATH-04.
    #[serde(default)]
    pub policy_ids: Vec<Text>,
}

/// One part of the assembled prompt. DIF-01.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct PromptPart {
    /// system, policy, developer, workflow, context, user, assistant, tool or schema.
    pub part: Text,
    /// registry or caller.
    pub source: Text,
    /// Size in bytes.
    pub bytes: i64,
    /// Keyed hash of the part, hex.
    #[serde(default)]
    pub hash: Option<Text>,
}

/// The prompt was assembled from versioned parts. PATH-07.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Prompt {
    /// Prompt in the registry. LOG-06.
    pub prompt_id: Text,
    /// Its immutable version. LOG-06.
    pub version: Text,
    /// SHA-256 of the prompt's text, hex.
    pub template_hash: Text,
    /// Parts in order. PATH-07.
    #[serde(default)]
    pub parts: Vec<PromptPart>,
    /// What became of the caller's own system text: none, demoted.
    pub caller_system: Text,
}

/// A route was chosen; durable before the attempt leaves. PATH-09.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Route {
    /// Attempt that this decision is for, from 1. LOG-13.
    pub attempt: i32,
    /// allow or deny.
    pub decision: Text,
    /// Route taken. LOG-07.
    #[serde(default)]
    pub chosen: Option<Text>,
    /// Provider of the route: `openai_compatible`, bedrock, simulator.
    #[serde(default)]
    pub provider: Option<Text>,
    /// Model asked of the provider. LOG-07.
    #[serde(default)]
    pub model: Option<Text>,
    /// Routes the capability lists, in order. PATH-09.
    #[serde(default)]
    pub candidates: Vec<Text>,
    /// Why each candidate was taken or passed over, in order. PATH-09.
    #[serde(default)]
    pub reasons: Vec<Text>,
    /// Policies that decided.
    #[serde(default)]
    pub policy_ids: Vec<Text>,
    /// Whether an earlier candidate was tried before.
    pub fallback: bool,
    /// Region of the route.
    #[serde(default)]
    pub region: Option<Text>,
    /// Model parameters sent, name to value; numbers and enumerations, and the guardrail around the call.
    #[serde(default)]
    pub parameters: BTreeMap<Text, Text>,
    /// What the operator states of the model behind the route, name to value: cluster, namespace, `model_digest`, `model_version` and
    /// the like. PAT-03, PAT-04.
    #[serde(default)]
    pub serving: BTreeMap<Text, Text>,
}

/// An attempt ended, well or not. PATH-11.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Invocation {
    /// Attempt, from 1. LOG-13.
    pub attempt: i32,
    /// Route taken. LOG-07.
    pub route: Text,
    /// Provider of the route.
    pub provider: Text,
    /// Model asked for.
    pub model: Text,
    /// Model that the provider says it used, where it is a valid label. LOG-07.
    #[serde(default)]
    pub model_used: Option<Text>,
    /// Provider's own id of the call, where it is a valid label.
    #[serde(default)]
    pub provider_request_id: Option<Text>,
    /// completed, refused, failed, timed_out, cut or unknown.
    pub status: Text,
    /// HTTP status of the provider.
    #[serde(default)]
    pub http_status: Option<i32>,
    /// Stable code of the failure.
    #[serde(default)]
    pub error_code: Option<Text>,
    /// Why the model stopped: stop, length, tool_calls, content_filter or other.
    #[serde(default)]
    pub finish_reason: Option<Text>,
    /// When the attempt left.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// Microseconds from start to first content. LOG-12.
    #[serde(default)]
    pub first_token_us: Option<i64>,
    /// Microseconds from start to end. LOG-12.
    #[serde(default)]
    pub duration_us: Option<i64>,
    /// All input tokens, cached ones included. LOG-11.
    #[serde(default)]
    pub input_tokens: Option<i64>,
    /// Input tokens read from a cache. LOG-11.
    #[serde(default)]
    pub cache_read_tokens: Option<i64>,
    /// Input tokens written to a five-minute cache. LOG-11.
    #[serde(default)]
    pub cache_write_5m_tokens: Option<i64>,
    /// Input tokens written to a one-hour cache. LOG-11.
    #[serde(default)]
    pub cache_write_1h_tokens: Option<i64>,
    /// All output tokens, reasoning included. LOG-11.
    #[serde(default)]
    pub output_tokens: Option<i64>,
    /// Output tokens spent on reasoning. LOG-11.
    #[serde(default)]
    pub reasoning_tokens: Option<i64>,
    /// provider or unknown.
    pub usage_source: Text,
    /// The provider's usage object as JSON, numbers only.
    #[serde(default)]
    pub usage_raw: Option<Text>,
    /// Version of the rule that made the counts from the raw usage.
    #[serde(default)]
    pub normaliser_version: Option<i32>,
    /// Number of chunks of a streamed answer.
    #[serde(default)]
    pub stream_chunks: Option<i64>,
    /// Size of the answer's text in bytes.
    #[serde(default)]
    pub output_bytes: Option<i64>,
    /// Keyed hash of the answer's text, hex.
    #[serde(default)]
    pub output_hash: Option<Text>,
    /// Class of service that the provider says it served in, where it is a valid label.
    #[serde(default)]
    pub service_tier: Option<Text>,
    /// Speed that the provider says it served at, where it is a valid label.
    #[serde(default)]
    pub latency_mode: Option<Text>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ValidationCheck {
    /// Check: non_empty, json_schema.
    pub name: Text,
    /// passed, failed or skipped.
    pub result: Text,
}

/// The answer was checked before the caller saw it. PATH-12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Validation {
    /// passed, failed or skipped. LOG-10.
    pub status: Text,
    /// Checks in order.
    #[serde(default)]
    pub checks: Vec<ValidationCheck>,
    /// SHA-256 of the JSON schema, hex.
    #[serde(default)]
    pub schema_hash: Option<Text>,
    /// display, human_review or machine_action. PRN-14.
    pub handling: Text,
}

/// What an attempt cost. PATH-14.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Cost {
    /// Attempt that is charged.
    pub attempt: i32,
    /// Route that is charged.
    pub route: Text,
    /// Provider that charges.
    pub provider: Text,
    /// Model that is charged.
    pub model: Text,
    /// USD.
    pub currency: Text,
    /// Whole amount in 10^-12 of the currency; null where it can't be known. LOG-14.
    #[serde(default)]
    pub amount_pico: Option<i64>,
    /// Part for uncached input.
    #[serde(default)]
    pub input_pico: Option<i64>,
    /// Part for cache reads.
    #[serde(default)]
    pub cache_read_pico: Option<i64>,
    /// Part for cache writes.
    #[serde(default)]
    pub cache_write_pico: Option<i64>,
    /// Part for output.
    #[serde(default)]
    pub output_pico: Option<i64>,
    /// Version of the price book.
    pub price_book: Text,
    /// Entry of the price book.
    #[serde(default)]
    pub price_id: Option<Text>,
    /// Why there is no amount: missing_price, usage_unknown.
    #[serde(default)]
    pub finding: Option<Text>,
    /// Tokens charged as input.
    #[serde(default)]
    pub uncached_input_tokens: Option<i64>,
    /// Tokens charged as cache reads.
    #[serde(default)]
    pub cache_read_tokens: Option<i64>,
    /// Tokens charged as cache writes.
    #[serde(default)]
    pub cache_write_tokens: Option<i64>,
    /// Tokens charged as output.
    #[serde(default)]
    pub output_tokens: Option<i64>,
    /// What is charged: model or guardrail. Null in versions that charged models only.
    #[serde(default)]
    pub charged_for: Option<Text>,
    /// Part for what is no token.
    #[serde(default)]
    pub items_pico: Option<i64>,
    /// What is charged beside tokens, kind to count; times in milliseconds.
    #[serde(default)]
    pub items: BTreeMap<Text, i64>,
    /// Model whose prices hold, where it is not the model that was asked for.
    #[serde(default)]
    pub priced_model: Option<Text>,
    /// Region that was called.
    #[serde(default)]
    pub region: Option<Text>,
    /// Geography of the profile that was called, where the model's name does not say it.
    #[serde(default)]
    pub geography: Option<Text>,
    /// What the provider prices apart under the model's name.
    #[serde(default)]
    pub variant: Option<Text>,
    /// Class of service that is charged: standard, batch, flex, priority, reserved, ultrafast.
    #[serde(default)]
    pub service_tier: Option<Text>,
}

/// How the request ended; every admitted request has exactly one. LOG-16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Outcome {
    /// answered, truncated, refused, invalid_output, failed, interrupted, abandoned.
    pub class: Text,
    /// HTTP status the caller got or would have got.
    pub http_status: i32,
    /// Stable error code.
    #[serde(default)]
    pub code: Option<Text>,
    /// Stage at which the request ended.
    pub stage: Text,
    /// Attempts made. LOG-13.
    pub attempts: i32,
    /// Microseconds from receipt to outcome. LOG-12.
    #[serde(default)]
    pub duration_us: Option<i64>,
    /// Part of it not spent waiting for models.
    #[serde(default)]
    pub overhead_us: Option<i64>,
    /// Microseconds by stage. LOG-12.
    #[serde(default)]
    pub stage_us: BTreeMap<Text, i64>,
    /// Guardrail result: `not_required`, passed, intervened, unknown. LOG-08.
    pub guardrail_status: Text,
    /// Retrieval decision: not_required. PATH-05.
    pub retrieval_status: Text,
    /// Ids of documents that entered the prompt. LOG-09.
    #[serde(default)]
    pub retrieved_documents: Vec<Text>,
    /// How the answer may be used. PATH-15.
    #[serde(default)]
    pub handling: Option<Text>,
    /// Whether recovery wrote this after a crash.
    pub recovered: bool,
    /// Bytes of answer handed to the caller's connection before this was written.
    #[serde(default)]
    pub delivered_bytes: Option<i64>,
    /// Link that later feedback must carry. LOG-15.
    #[serde(default)]
    pub feedback_ref: Option<Text>,
}

/// The platform itself was changed. PATH-16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Control {
    /// `breaker_opened`, `breaker_closed`, started, stopped, configured, profile_changed.
    pub action: Text,
    /// What was acted on.
    pub subject: Text,
    /// Who acted.
    pub actor: Text,
    /// SHA-256 of what was in force before, hex.
    #[serde(default)]
    pub before_hash: Option<Text>,
    /// SHA-256 of what is in force now, hex.
    #[serde(default)]
    pub after_hash: Option<Text>,
    /// Details, name to value.
    #[serde(default)]
    pub parameters: BTreeMap<Text, Text>,
}

/// One kind of finding; never the text that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct GuardrailFinding {
    /// topic, content, word, `sensitive_information`, grounding or `automated_reasoning`.
    pub policy: Text,
    /// Topic, filter, kind of personal data or expression, as its owner or the provider calls it.
    #[serde(default)]
    pub name: Option<Text>,
    /// BLOCKED, ANONYMIZED or NONE.
    #[serde(default)]
    pub action: Option<Text>,
    /// Whether it was there; with the action NONE it may have been.
    #[serde(default)]
    pub detected: Option<bool>,
    /// NONE, LOW, MEDIUM or HIGH.
    #[serde(default)]
    pub confidence: Option<Text>,
    /// How often it was found.
    pub count: i32,
}

/// A guardrail was applied to one side of the model. PATH-10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Guardrail {
    /// Attempt that it was applied in.
    pub attempt: i32,
    /// Route whose call it was.
    pub route: Text,
    /// Provider that applied it.
    pub provider: Text,
    /// Guardrail, where the provider or the route names it.
    #[serde(default)]
    pub guardrail_id: Option<Text>,
    /// Its version.
    #[serde(default)]
    pub version: Option<Text>,
    /// What it looked at: input, output, or unknown where the provider does not tell.
    pub side: Text,
    /// none, masked, blocked or unknown.
    pub action: Text,
    /// Who demanded it: REQUEST, `ACCOUNT_ENFORCED`, `ORGANIZATION_ENFORCED`.
    #[serde(default)]
    pub origins: Vec<Text>,
    /// What it found. LOG-08.
    #[serde(default)]
    pub findings: Vec<GuardrailFinding>,
    /// Microseconds that the provider says it took.
    #[serde(default)]
    pub duration_us: Option<i64>,
    /// Policy units that it is billed by, as the provider names them.
    #[serde(default)]
    pub units: BTreeMap<Text, i64>,
    /// How much it looked at, as the provider names it.
    #[serde(default)]
    pub coverage: BTreeMap<Text, i64>,
}
