//! The words every other crate speaks: identifiers, labels, money, tokens, time, sensitive text and fault kinds.
//!
//! Pure by rule: no runtime, no I/O, no wall clock, no randomness. What needs a clock or an id asks through the traits of
//! [`time`] and [`id`].

mod fault;
mod fault_point;
mod geography;
mod id;
mod label;
mod level;
mod log;
mod money;
mod sensitive;
mod time;
mod tokens;

pub use fault::{Fault, FaultOwner, Retry};
pub use fault_point::{fault_point, watch_fault_points};
pub use geography::{GEOGRAPHIES, is_geography, is_region, split_profile_id};
pub use id::{EventId, IdSource, JournalId, ParseIdError, RequestId};
pub use label::{
    ApiKeyId, CapabilityName, Environment, Feature, InvalidLabelError, ModelName, PersonPseudonym, PrincipalId, PromptId, Purpose,
    RetentionClass, RouteName, TenantId, Workflow,
};
pub use level::{ControlLevel, DataClass, Handling, UnknownNameError};
pub use log::{LogPosition, LogRecord, Seq, Source};
pub use money::{InvalidAmountError, PicoUsd};
pub use sensitive::SensitiveText;
pub use time::{Clock, Timestamp};
pub use tokens::TokenUsage;

/// A shared, immutable piece of text that many events of one request carry.
pub type Text = std::sync::Arc<str>;
