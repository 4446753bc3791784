//! What a decision is about, as plain facts, and the same facts made ready for many decisions.
//!
//! ```text
//! User, Service  in [Tenant, Group]   id "<tenant>|<principal>"; `|` is outside the label alphabet, so no two pairs collide
//! Capability     owner, controlLevel, dataClass, handling, feature?, workflow?, shared, tenants
//! Route          provider, model, region?, dataClassCeiling, shared, tenants
//! Content        purpose, retentionClass, dataClass, part, capability, shared (never), tenants (its own)
//! ```
//! Data classes and control levels are numbers from 0, weakest first, so that policies can compare them.

mod content;
mod group;
mod prepare;

use std::collections::BTreeSet;

use custody_types::{
    CapabilityName, ControlLevel, DataClass, Fault, FaultOwner, Feature, Handling, ModelName, PrincipalId, Retry, RouteName, TenantId,
    Workflow,
};

pub use content::{Content, ContentFacts};
pub use group::{GroupName, InvalidGroupError};
pub use prepare::{Capability, Principal, Route};

/// What kind of credential holder asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A person: `User` in policies.
    User,
    /// A program: `Service` in policies.
    Service,
}

/// Who asks, as the credential says; never as the request body says (PATH-02).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalFacts {
    /// Tenant of the credential.
    pub tenant: TenantId,
    /// Holder of the credential.
    pub principal: PrincipalId,
    /// Person or program.
    pub kind: PrincipalKind,
    /// Groups and roles of the holder.
    pub groups: BTreeSet<GroupName>,
}

/// Which tenants something exists for. Whoever is outside is refused before any other policy counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantScope {
    /// Every tenant, as far as policies permit.
    All,
    /// These tenants and no other.
    Only(BTreeSet<TenantId>),
}

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityFacts {
    /// Its name.
    pub name: CapabilityName,
    /// Who answers for it.
    pub owner: String,
    /// How much control it needs.
    pub control_level: ControlLevel,
    /// The most sensitive data it may carry.
    pub data_class: DataClass,
    /// What its answers are for.
    pub handling: Handling,
    /// Product feature it serves.
    pub feature: Option<Feature>,
    /// Business workflow it serves.
    pub workflow: Option<Workflow>,
    /// Tenants it exists for.
    pub tenants: TenantScope,
}

/// A way to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFacts {
    /// Its name.
    pub name: RouteName,
    /// Provider behind it.
    pub provider: String,
    /// Model it leads to.
    pub model: ModelName,
    /// Where the model runs, where that is known.
    pub region: Option<String>,
    /// The most sensitive data it may carry (PRN-13).
    pub data_class_ceiling: DataClass,
    /// Tenants it exists for.
    pub tenants: TenantScope,
}

/// Facts could not be put into the policy engine's form.
#[derive(Debug, thiserror::Error)]
#[error("the facts about `{subject}` cannot be put before the policies: {reason}")]
pub struct FactsError {
    pub(crate) subject: String,
    pub(crate) reason: String,
}

impl Fault for FactsError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Product
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "policy_facts_invalid"
    }
}
