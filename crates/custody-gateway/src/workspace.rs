//! The workspace: the folder of files, under version control, that says what is allowed and how.
//!
//! ```text
//! custody.toml                 environment, listen, limits, tags, stages, providers, customised models, routes
//! tenants.toml                 [[tenant]]
//! capabilities/<any>.toml      one capability each
//! prompts/<id>/v<N>.toml       one immutable prompt version each
//! policies/*.cedar             policies, and schema.cedarschema
//! prices/*.toml                price books
//! data-handling.toml           which texts are kept, why, how long, redacted how, shown to whom; optional
//! keys.toml                    [[key]]: hashed API keys, mode 0600
//! ```
//! Everything is read and checked before anything starts, and every mistake is reported in one run. The [`Workspace`] that
//! comes out is immutable; its hash names it in every event.

mod bedrock;
mod capability;
mod example;
mod files;
mod handling;
pub mod keys;
mod load;
mod openai;
mod prompt;
mod registry;
mod routes;
mod server;
mod serving;
mod settings;
mod tenants;

use std::{collections::BTreeMap, sync::Arc};

use custody_policy::PolicySet;
use custody_price::PriceBook;
use custody_types::{CapabilityName, Environment, RouteName, TenantId, Text};

pub use custody_config::Mistake;

pub(crate) use bedrock::shown;
pub use bedrock::{AskedProfile, BedrockCall, BedrockProvider, Lookup, Problem, Stated, Whereabouts};
pub use capability::{CallerSystem, Capability, Limits, OnInvalid, OutputSchema, ValidationRule};
pub use example::{ExampleError, IssuedKey, add_tenant_keys, write_example};
pub use files::WorkspaceFiles;
pub use handling::{CaptureRule, DEFAULT_REDACTION, DataHandling, HandlingRule, Retention, RevealRule, RuleScope};
pub use keys::{ApiKey, KeyRing};
pub use load::WorkspaceError;
pub use openai::{OpenAiProvider, ProbeRule};
pub use prompt::PromptVersion;
pub use routes::{ProviderKind, RouteConfig, SecretReference};
pub use server::{ServerSettings, TlsFiles};
pub use settings::{FlowLimits, Recording, Settings, StageSwitches, TagRule, UnsafeTags};
pub use tenants::Tenant;

/// Everything that the folder says, checked. Invariant: every name that one part uses is defined by another.
#[derive(Debug)]
pub struct Workspace {
    /// SHA-256 over all files, hex.
    pub hash: Text,
    /// Deployment stage, listen address, limits, tags, switches.
    pub settings: Settings,
    /// Tenants by id.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// Capabilities by name.
    pub capabilities: BTreeMap<CapabilityName, Arc<Capability>>,
    /// Routes by name.
    pub routes: BTreeMap<RouteName, Arc<RouteConfig>>,
    /// API keys.
    pub keys: KeyRing,
    /// The policy set.
    pub policies: PolicySet,
    /// The price book.
    pub prices: PriceBook,
    /// Which texts are kept, and how.
    pub handling: DataHandling,
}

impl Workspace {
    /// The deployment stage.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.settings.environment
    }
}

#[cfg(test)]
mod tests;
