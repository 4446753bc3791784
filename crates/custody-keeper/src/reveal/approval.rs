//! The agreement of a second person, as documents in the vault's store. Each is written once and never changed.
//!
//! ```text
//! reveals/<id>.json        what is asked: by whom, which texts, in which form, why (redacted), until when
//! reveals/<id>.approved    by whom
//! reveals/<id>.ended       used: the reveal that it was for began; or withdrawn, by the asker or who approved
//!
//! pending ─▶ approved ─▶ used          withdrawn, or older than a day: never used
//! ```
//! There is one end: of two who use it at once, or of who uses and who withdraws it, one is first.

use custody_policy::{PrincipalFacts, PrincipalKind};
use custody_types::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    answer::Denial,
    desk::{Form, Reveal},
    ports::{Papers, PortError},
    text::KeptText,
};

pub(super) const FOLDER: &str = "reveals";
pub(super) const ENDING: &str = ".json";
const VERSION: u32 = 1;
/// A day: long enough for a colleague to be back, short enough that the reason is still the reason.
const VALID_MICROS: i64 = 86_400_000_000;

/// What is asked of the second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    version: u32,
    /// UUID version 7.
    pub id: String,
    /// Tenant of the texts, of the asker and of who agrees.
    pub tenant: String,
    /// Who asks.
    pub asker: String,
    asker_is_person: bool,
    /// The governed request.
    pub request_id: String,
    /// The texts, in order.
    pub content_ids: Vec<String>,
    /// Whether only what redaction leaves is asked for.
    pub redacted: bool,
    /// Why, redacted.
    pub reason: String,
    asked_at_micros: i64,
    expires_at_micros: i64,
}

/// What happened to it: who did it, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    version: u32,
    /// Tells this very act from another of the same moment.
    act: String,
    what: Act,
    /// Who.
    pub(super) by: String,
    at_micros: i64,
}

/// What may be done with an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    Approve,
    Withdraw,
    Use,
}

/// Who does something, and when.
pub(super) struct By<'a> {
    pub(super) name: &'a str,
    pub(super) at: Timestamp,
    pub(super) act: String,
}

impl Act {
    const fn ending(self) -> &'static str {
        match self {
            Self::Approve => ".approved",
            Self::Withdraw | Self::Use => ".ended",
        }
    }
}

impl Approval {
    pub(super) fn asked(id: String, asker: &PrincipalFacts, reveal: &Reveal, texts: &[KeptText], reason: &str, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            id,
            tenant: asker.tenant.to_string(),
            asker: asker.principal.to_string(),
            asker_is_person: is_person(asker),
            request_id: reveal.request.to_string(),
            content_ids: ids(texts),
            redacted: reveal.form == Form::Redacted,
            reason: reason.to_owned(),
            asked_at_micros: now.micros(),
            expires_at_micros: now.micros().saturating_add(VALID_MICROS),
        }
    }

    /// Until when it may be used.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_micros(self.expires_at_micros)
    }

    pub(super) fn is_for(&self, asker: &PrincipalFacts, reveal: &Reveal, texts: &[KeptText]) -> bool {
        self.asker == asker.principal.as_str()
            && self.asker_is_person == is_person(asker)
            && self.request_id == reveal.request.to_string()
            && self.redacted == (reveal.form == Form::Redacted)
            && self.content_ids == ids(texts)
    }

    /// One of this tenant. Of others it is not even said that they exist.
    pub(super) async fn read(papers: &dyn Papers, tenant: &str, id: &str) -> Result<Option<Self>, PortError> {
        let found: Option<Self> = if is_id(id) { read(papers, &format!("{FOLDER}/{id}{ENDING}")).await? } else { None };
        Ok(found.filter(|found| found.version == VERSION && found.tenant == tenant))
    }

    pub(super) async fn write(&self, papers: &dyn Papers) -> Result<(), PortError> {
        put_new(papers, &format!("{FOLDER}/{}{ENDING}", self.id), self).await.map(drop)
    }

    /// Does it; says whether nobody was first.
    pub(super) async fn act(&self, papers: &dyn Papers, what: Act, by: By<'_>) -> Result<bool, PortError> {
        let mark = Mark { version: VERSION, act: by.act, what, by: by.name.to_owned(), at_micros: by.at.micros() };
        put_new(papers, &self.name(what), &mark).await
    }

    /// Who agreed.
    pub(super) async fn approved(&self, papers: &dyn Papers) -> Result<Option<Mark>, PortError> {
        read(papers, &self.name(Act::Approve)).await
    }

    /// Why it can't be acted on any more; nothing where it can.
    pub(super) async fn why_over(&self, papers: &dyn Papers, now: Timestamp) -> Result<Option<Denial>, PortError> {
        let ended: Option<Mark> = read(papers, &self.name(Act::Use)).await?;
        Ok(match ended.map(|ended| ended.what) {
            Some(Act::Withdraw) => Some(Denial::ApprovalWithdrawn),
            Some(Act::Use | Act::Approve) => Some(Denial::ApprovalUsed),
            None => (now >= self.expires_at()).then_some(Denial::ApprovalExpired),
        })
    }

    /// As the asker asked, for who wants to know what they agree to.
    pub(super) const fn form(&self) -> Form {
        if self.redacted { Form::Redacted } else { Form::Full }
    }

    fn name(&self, act: Act) -> String {
        format!("{FOLDER}/{}{}", self.id, act.ending())
    }
}

pub(super) fn is_person(facts: &PrincipalFacts) -> bool {
    match facts.kind {
        PrincipalKind::User => true,
        PrincipalKind::Service => false,
    }
}

fn ids(texts: &[KeptText]) -> Vec<String> {
    let mut ids: Vec<String> = texts.iter().map(|text| text.content_id.to_string()).collect();
    ids.sort_unstable();
    ids
}

/// What somebody typed becomes part of a name only where it is an id.
fn is_id(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

async fn read<T: DeserializeOwned>(papers: &dyn Papers, name: &str) -> Result<Option<T>, PortError> {
    let Some(bytes) = papers.get(name).await? else { return Ok(None) };
    let unusable = |_| PortError::unusable(format!("`{name}` in the vault's store is not what this program writes"));
    serde_json::from_slice(&bytes).map(Some).map_err(unusable)
}

async fn put_new<T: Serialize>(papers: &dyn Papers, name: &str, document: &T) -> Result<bool, PortError> {
    let bytes = serde_json::to_vec_pretty(document).map_err(|_| PortError::unusable(format!("`{name}` can't be written")))?;
    papers.put_new(name, bytes).await
}
