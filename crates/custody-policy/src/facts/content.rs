//! A kept text, as far as who may see it depends on it. The text itself is nowhere near a decision.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityUid};
use custody_types::{CapabilityName, DataClass, Purpose, RetentionClass, TenantId};

use super::{FactsError, TenantScope, prepare};
use crate::shape::{self, level, text};

/// What is known of a kept text without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFacts {
    /// Its id: `Content::"…"` in policies.
    pub id: String,
    /// Whose it is. It exists for this tenant and no other.
    pub tenant: TenantId,
    /// Why it is kept.
    pub purpose: Purpose,
    /// How long it may be kept.
    pub retention_class: RetentionClass,
    /// How sensitive its request was.
    pub data_class: DataClass,
    /// Which text of its request: prompt, response and so on.
    pub part: String,
    /// Capability of its request.
    pub capability: CapabilityName,
}

/// A kept text ready for decisions.
#[derive(Debug, Clone)]
pub struct Content {
    pub(crate) uid: EntityUid,
    pub(crate) entity: Entity,
}

impl Content {
    /// Makes a kept text ready.
    ///
    /// # Errors
    /// When the engine refuses the facts, which no valid label can cause.
    pub fn new(facts: &ContentFacts) -> Result<Self, FactsError> {
        let uid = shape::uid(shape::CONTENT, &facts.id)?;
        let only_its_own = TenantScope::Only([facts.tenant.clone()].into());
        let mut attributes: HashMap<_, _> = prepare::scope_attributes(&only_its_own)?;
        attributes.insert("purpose".to_owned(), text(facts.purpose.as_str()));
        attributes.insert("retentionClass".to_owned(), text(facts.retention_class.as_str()));
        attributes.insert("dataClass".to_owned(), level(facts.data_class as u8));
        attributes.insert("part".to_owned(), text(&facts.part));
        // A name and not an entity: the capability may be gone from the workspace while its texts are kept.
        attributes.insert("capability".to_owned(), text(facts.capability.as_str()));
        Ok(Self { entity: prepare::build(&uid, attributes, HashSet::new())?, uid })
    }
}
