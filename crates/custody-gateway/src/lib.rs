//! The gateway: governed access to models over OpenAI's HTTP form and over Bedrock's.
//!
//! A request goes through [`flow`](crate::flow), a chain of typed stages; what every stage decides is an event, and events are
//! durable in the journal before a model is called and before an answer is released. Texts that a rule keeps go sealed into a journal
//! of their own ([`content`](crate::content)). Who may do what stands in the [`workspace`].
//!
//! What this crate does not do: keep events (custody-log), decide (custody-policy), price (custody-price), speak to providers
//! (custody-model).

mod content;
mod date;
mod encode;
mod flow;
mod front;
mod gateway;
mod http;
mod keyed;
mod metrics;
mod models;
mod private_file;
mod probes;
mod profiles;
mod protection;
mod recorder;
mod recovery;
mod refusal;
mod shipped;
mod stage;
mod system;
#[cfg(feature = "unsealed")]
mod unsealed;
mod verdicts;
pub mod workspace;

pub use content::{
    CONTENT_RESERVE_BYTES, CaptureError, ClaimError, ClaimStore, ContentOutlet, EdgeKeySource, end_open_texts, end_orphaned_texts,
};
pub use gateway::{BuildGatewayError, Gateway, GatewayConfig, Models, MoreMetrics};
pub use http::TlsError;
pub use keyed::{HashKeyError, hash_key_check, pseudonym};
pub use models::{BuildModelsError, build_models, read_secret};
pub use probes::Probes;
pub use profiles::{Profiles, look_up_profiles};
pub use recorder::{Ack, OpenRecord, Recorder, Unconfirmed};
pub use recovery::{RecoveredRequests, RecoveryError, recover};
pub use shipped::ShippedJournal;
pub use stage::{Stage, UnknownStageError};
pub use system::{SystemClock, SystemIds};
pub use workspace::Workspace;

#[cfg(test)]
mod tests;
