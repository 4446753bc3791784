//! What a reveal needs of the workspace, the table of texts, the vault's store and the journal.

use std::collections::BTreeSet;

use async_trait::async_trait;
use custody_event::{Access, Envelope};
use custody_policy::{GroupName, PolicySet};
use custody_seal::OpenedText;
use custody_types::{Environment, Fault, FaultOwner, RequestId, Retry, TenantId};

use super::{access::Permit, desk::Form, text::KeptText};

/// A part that a reveal stands on failed; what failed is told as data.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// For an operator; never holds text.
    pub message: String,
    /// Whose fault it is.
    pub owner: FaultOwner,
    /// Whether a retry is worth it.
    pub retry: Retry,
    /// The stable code.
    pub code: &'static str,
}

/// What the workspace says.
pub trait Governance: Send + Sync {
    /// The policies.
    fn policies(&self) -> &PolicySet;

    /// The deployment stage.
    fn environment(&self) -> &Environment;

    /// Who may see what a rule keeps, by the rule as it is now; nothing where there is no such rule any more.
    fn terms(&self, handling_rule: &str) -> Option<Terms>;
}

/// What a data-handling rule says about reveals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Groups whose members may ask and agree.
    pub groups: BTreeSet<GroupName>,
    /// Whether a second person has to agree.
    pub second_person: bool,
    /// Texts that one principal may see within an hour of the clock.
    pub per_hour: u32,
}

/// The kept texts.
#[async_trait]
pub trait Texts: Send + Sync {
    /// The texts of a request, as far as they are this tenant's.
    async fn of_request(&self, tenant: &TenantId, request: RequestId) -> Result<Vec<KeptText>, PortError>;

    /// Whether an erasure covers a text, whether or not its row is gone yet; not one that a hold in force kept from the erasure.
    async fn is_forgotten(&self, text: &KeptText) -> Result<bool, PortError>;

    /// Whether a legal hold keeps a text, also beyond its date.
    async fn is_held(&self, text: &KeptText) -> Result<bool, PortError>;

    /// Opens a text, for whom the permit was made.
    async fn open(&self, permit: &Permit, text: &KeptText, form: Form) -> Result<OpenedText, PortError>;
}

/// Small objects in the vault's store. What a put has answered is durable; of many who make a name, one does.
#[async_trait]
pub trait Papers: Send + Sync {
    /// Writes one that is not there yet, and says whether it was not. One with these very bytes may be this put's first try, whose
    /// answer was lost: then it was not.
    async fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<bool, PortError>;

    /// One of them.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PortError>;

    /// Deletes one. Deleting what is not there succeeds.
    async fn delete(&self, name: &str) -> Result<(), PortError>;

    /// The names of all below a folder.
    async fn list(&self, folder: &str) -> Result<Vec<String>, PortError>;
}

/// Where events become durable.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// Records an event; durable when it returns.
    async fn record(&self, envelope: Envelope, access: Access) -> Result<(), PortError>;
}

impl PortError {
    /// What another part's error tells.
    pub fn of(error: &(impl Fault + ?Sized)) -> Self {
        Self { message: error.to_string(), owner: error.owner(), retry: error.retry(), code: error.code() }
    }

    /// A kept row or document that this program did not write so.
    pub(super) fn unusable(message: impl Into<String>) -> Self {
        Self { message: message.into(), owner: FaultOwner::Operator, retry: Retry::Never, code: "reveal_record_unusable" }
    }

    /// What a row names is not there.
    pub(super) fn gone(message: impl Into<String>) -> Self {
        Self { code: "reveal_claim_gone", ..Self::unusable(message) }
    }

    /// A text that opened is not the one of its event.
    pub(super) fn other_text() -> Self {
        Self { code: "reveal_text_not_as_recorded", ..Self::unusable("the text is not the one that its event commits to") }
    }
}

impl Fault for PortError {
    fn owner(&self) -> FaultOwner {
        self.owner
    }

    fn retry(&self) -> Retry {
        self.retry
    }

    fn code(&self) -> &'static str {
        self.code
    }
}
