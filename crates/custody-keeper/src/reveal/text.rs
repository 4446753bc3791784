//! A kept text as its row tells of it, still sealed.

use std::fmt;

use custody_policy::{Content, ContentFacts, FactsError};
use custody_seal::{
    Part, TextContext,
    rest::{Month, ShredUnit, UnitKeyId},
};
use custody_types::{CapabilityName, DataClass, PersonPseudonym, Purpose, RequestId, RetentionClass, TenantId, Text, Timestamp};

/// One row of kept text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptText {
    /// Its id.
    pub content_id: Text,
    /// Everything that is bound to it; the text opens only where all of it is as it was.
    pub context: TextContext,
    /// When it was sealed.
    pub made_at: Timestamp,
    /// UTC day from which it is no longer kept, in days since 1970-01-01.
    pub expires_on: i64,
    /// Capability of its request.
    pub capability: CapabilityName,
    /// Data class of its request.
    pub data_class: DataClass,
    /// The rule that ordered the capture, with its version.
    pub handling_rule: Text,
    /// What the text's event says of it.
    pub commitment: Vec<u8>,
    /// What became of it.
    pub state: State,
    /// The unit key that opens it.
    pub unit_key: Option<UnitKeyId>,
    /// The month of that key's unit.
    pub unit_month: Option<Month>,
    /// The sealed bytes.
    pub sealed: SealedForms,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is kept, sealed.
    Kept,
    /// It was forgotten before it could be kept.
    Forgotten,
    /// It never opened, and is as the gateway sealed it.
    Unopened,
}

/// Where the sealed bytes are.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SealedForms {
    /// The full text.
    pub full: Option<Vec<u8>>,
    /// What redaction leaves of it.
    pub redacted: Option<Vec<u8>>,
    /// The place of both in the vault's store, where they are too large for a row.
    pub claim: Option<String>,
}

impl KeptText {
    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.context.tenant
    }

    /// The person, where the request named one.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonPseudonym> {
        self.context.person.as_ref()
    }

    /// Its request.
    #[must_use]
    pub const fn request(&self) -> RequestId {
        self.context.request
    }

    /// Which text of the request.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.context.part
    }

    /// Why it is kept.
    #[must_use]
    pub const fn purpose(&self) -> &Purpose {
        &self.context.purpose
    }

    /// How long it may be kept.
    #[must_use]
    pub const fn retention(&self) -> &RetentionClass {
        &self.context.retention
    }

    /// The unit whose key opens it.
    #[must_use]
    pub fn unit(&self) -> Option<(ShredUnit, UnitKeyId)> {
        let TextContext { tenant, person, purpose, .. } = self.context.clone();
        Some((ShredUnit { tenant, person, purpose, month: self.unit_month? }, self.unit_key?))
    }

    /// As policies see it.
    pub(super) fn content(&self) -> Result<Content, FactsError> {
        Content::new(&ContentFacts {
            id: self.content_id.to_string(),
            tenant: self.tenant().clone(),
            purpose: self.purpose().clone(),
            retention_class: self.retention().clone(),
            data_class: self.data_class,
            part: self.part().as_str().to_owned(),
            capability: self.capability.clone(),
        })
    }
}

impl fmt::Debug for SealedForms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedForms").field("claim", &self.claim).finish_non_exhaustive()
    }
}
