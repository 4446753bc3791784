//! Bedrock's own log of model invocations (schema `ModelInvocationLog` 1.0), as it lies in CloudWatch Logs or S3: what each call
//! used, what it costs, and what joins it to our events.
//!
//! ```text
//! joined by              in the log                                in our events
//! provider's id          requestId                                 invocation_provider_request_id
//! our id                 requestMetadata, key custody_request      request_id; of use where the answer never came
//! who called             identity.arn                              the role of the gateway, or a way past it
//! ```
//! A call of the gateway's Region and role that no event knows went past the gateway; an event without a call was never charged.
//!
//! Prompts and answers of a record are not kept, and no error quotes them. What this module does not do: fetch logs, or read bodies
//! that were too large for the log and lie in S3 apart; their counts stand in the record itself.

mod agreement;
mod body;
mod matched;
mod record;
mod usage;

use std::collections::BTreeMap;

use custody_types::{Fault, FaultOwner, ModelName, RequestId, Retry, Text, Timestamp};

use crate::{
    book::PriceBook,
    class::{Item, ServiceTier},
    facts::Facts,
    finding::Finding,
    guardrail::GUARDRAILS,
    normalise::{ModelFamily, Normalised, Operation, RawUsage, normalise_call},
    provider::Provider,
    quote::Quote,
    usage::Usage,
};

pub use matched::{JoinedBy, Match, RecordedCall, matches};

/// The key of `requestMetadata` under which the gateway sends its own request id.
pub const REQUEST_ID_KEY: &str = "custody_request";

/// One record: what was called, what it used, and by what it can be joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// Bedrock's id of the call.
    pub provider_request_id: Text,
    /// Our id of the request, where the call carried it.
    pub own_request_id: Option<RequestId>,
    /// When.
    pub at: Timestamp,
    /// Account that called.
    pub account: Option<Text>,
    /// ARN of who called.
    pub principal: Option<Text>,
    /// Region that was called.
    pub region: Text,
    /// Region that answered, where it is another.
    pub inference_region: Option<Text>,
    /// Operation as the log names it.
    pub operation: Text,
    /// Model or profile; of an ARN, the part that names it.
    pub model: ModelName,
    /// Tier of service that answered.
    pub service: ServiceTier,
    /// Bedrock's code of a failure.
    pub error_code: Option<Text>,
    /// Counts as Bedrock stated them; nothing where it stated none.
    pub raw: Option<RawUsage>,
    /// Whether the record and the answer inside it state the same counts, where both do, and the answer's can be read.
    pub counts_agree: bool,
    /// Guardrail units, by kind of policy.
    pub guardrail_units: BTreeMap<Item, u64>,
}

impl LoggedCall {
    /// Whether another record says the same of the call; when it was written may differ.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }
}

/// The text is no record of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogRecordError {
    /// Not JSON, or a field has another type than the schema gives it.
    #[error("the record is not in the form of an invocation log: line {line}, column {column}")]
    Form {
        /// Where.
        line: usize,
        /// Where in it.
        column: usize,
    },
    /// JSON of another kind, such as a CloudTrail event.
    #[error("the record is not of the schema `ModelInvocationLog`")]
    OtherSchema,
    /// A field that a record must have is absent.
    #[error("the record has no `{0}`")]
    Absent(&'static str),
    /// A field has a value that cannot be used.
    #[error("the record's `{0}` cannot be used")]
    Unusable(&'static str),
}

impl Fault for LogRecordError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Upstream
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Form { .. } => "log_record_malformed",
            Self::OtherSchema => "log_record_of_other_schema",
            Self::Absent(_) | Self::Unusable(_) => "log_record_incomplete",
        }
    }
}

impl LoggedCall {
    /// Reads one record.
    ///
    /// # Errors
    /// When the text is no such record.
    pub fn parse(json: &str) -> Result<Self, LogRecordError> {
        record::read(json)
    }

    /// What was called, where a rule knows it.
    #[must_use]
    pub fn known_operation(&self) -> Option<Operation> {
        match &*self.operation {
            "Converse" => Some(Operation::Converse),
            "ConverseStream" => Some(Operation::ConverseStream),
            "InvokeModel" | "InvokeModelWithResponseStream" => Some(Operation::InvokeModel),
            _ => None,
        }
    }

    /// Its counts in our terms.
    ///
    /// # Errors
    /// The finding that stands in place of counts.
    pub fn normalised(&self) -> Result<Normalised, Finding> {
        if !self.counts_agree {
            return Err(Finding::UsageInconsistent);
        }
        let raw = self.raw.as_ref().ok_or(Finding::UsageUnknown)?;
        let operation = self.known_operation().ok_or(Finding::UsageUnknown)?;
        normalise_call(Provider::Bedrock, ModelFamily::of(self.model.as_str()), operation, raw)
    }

    /// What chooses the model's price.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let on_demand = Facts::on_demand(Provider::Bedrock, self.model.clone(), self.at);
        Facts { region: Some(self.region.clone()), service: self.service, ..on_demand }
    }

    /// What the model's part costs. The log does not tell how long a call took, so one that is charged by its time has no amount.
    ///
    /// # Errors
    /// The finding that stands in place of an amount.
    pub fn price(&self, book: &PriceBook) -> Result<Quote, Finding> {
        book.quote_call(&self.facts(), self.normalised()?.usage, None, BTreeMap::new())
    }

    /// What its guardrails cost; nothing where none was charged.
    #[must_use]
    pub fn price_guardrails(&self, book: &PriceBook) -> Option<Result<Quote, Finding>> {
        if self.guardrail_units.is_empty() {
            return None;
        }
        let model = GUARDRAILS.parse().ok()?;
        let facts = Facts { model, service: ServiceTier::Standard, ..self.facts() };
        let usage = Usage { items: self.guardrail_units.clone(), ..Usage::default() };
        Some(book.quote(&facts, &usage))
    }

    /// Whether it failed without counts, so that nothing is charged.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.error_code.is_some() && self.raw.is_none()
    }
}
