//! Where people ask: what a reveal stands on, and who asks what.

use std::sync::Arc;

use custody_event::Envelope;
use custody_policy::{Decision, Principal, PrincipalFacts, RevealContext};
use custody_redact::Redactor;
use custody_seal::Part;
use custody_types::{Clock, IdSource, RequestId, SensitiveText, Text};

use super::{
    access::Attempt,
    answer::Denial,
    approval::By,
    ports::{Evidence, Governance, Papers, PortError, Terms, Texts},
    text::KeptText,
};

/// Which text of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    Full,
    /// What redaction leaves of it.
    Redacted,
}

/// Who asks, as their credential says.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Tenant, name, kind, groups.
    pub facts: PrincipalFacts,
    /// The same, ready for policies.
    pub policy: Principal,
    /// Public half of the credential.
    pub api_key_id: Text,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Reveal {
    /// The governed request.
    pub request: RequestId,
    /// One part of it; nothing for all.
    pub part: Option<Part>,
    /// The full text, or what redaction leaves.
    pub form: Form,
    /// Why, as the asker wrote it.
    pub reason: SensitiveText,
    /// The agreement of a second person.
    pub approval: Option<String>,
}

/// What a desk stands on.
#[derive(Clone)]
pub struct DeskParts {
    /// The workspace.
    pub governance: Arc<dyn Governance>,
    /// The kept texts.
    pub texts: Arc<dyn Texts>,
    /// Documents in the vault's store.
    pub papers: Arc<dyn Papers>,
    /// The journal.
    pub evidence: Arc<dyn Evidence>,
    /// Takes out of reasons what evidence should not hold.
    pub redactor: &'static Redactor,
    /// What every event says of the platform.
    pub envelope: Envelope,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids of approvals.
    pub ids: Arc<dyn IdSource>,
}

/// Reveals, and the agreements that they need.
pub struct RevealDesk {
    pub(super) parts: DeskParts,
}

impl RevealDesk {
    /// A desk over its parts.
    #[must_use]
    pub const fn new(parts: DeskParts) -> Self {
        Self { parts }
    }

    /// Who does something with an approval, now.
    pub(super) fn by<'a>(&self, who: &'a Asker) -> By<'a> {
        By { name: who.facts.principal.as_str(), at: self.parts.clock.now(), act: self.parts.ids.event_id().to_string() }
    }

    /// What the texts' rules say of reveals, the narrowest of all; nothing where one of them is gone.
    pub(super) fn terms(&self, texts: &[KeptText]) -> Option<Vec<Terms>> {
        texts.iter().map(|text| self.parts.governance.terms(&text.handling_rule)).collect()
    }

    /// The policies on each text: the policies that permit, or why not.
    pub(super) fn permitted(&self, asker: &Asker, texts: &[KeptText], form: Form, second_person: bool) -> Result<Vec<Text>, Refused> {
        let mut policy_ids = Vec::new();
        for text in texts {
            let decision = self.decide(asker, text, form, second_person)?;
            if let Some(denial) = decision.denial {
                return Err(Refused { denial: denial.into(), policy_ids: decision.policy_ids.to_vec() });
            }
            policy_ids.extend(decision.policy_ids.iter().cloned());
        }
        policy_ids.sort();
        policy_ids.dedup();
        Ok(policy_ids)
    }

    fn decide(&self, asker: &Asker, text: &KeptText, form: Form, second_person: bool) -> Result<Decision, Refused> {
        let content = text.content().map_err(|_| Refused { denial: Denial::EvaluationError, policy_ids: Vec::new() })?;
        let governance = self.parts.governance.as_ref();
        // A reason is a condition of coming so far.
        let context =
            RevealContext { environment: governance.environment(), redacted: form == Form::Redacted, second_person, reason_given: true };
        Ok(governance.policies().may_reveal(&asker.policy, &content, context))
    }
}

/// Why the policies do not let somebody see a text.
pub(super) struct Refused {
    pub(super) denial: Denial,
    pub(super) policy_ids: Vec<Text>,
}

impl Asker {
    /// Whether every rule names one of the asker's groups.
    pub(super) fn is_in_groups_of(&self, terms: &[Terms]) -> bool {
        terms.iter().all(|terms| !terms.groups.is_disjoint(&self.facts.groups))
    }

    /// The name under which rates are counted; kinds are apart, as they are for policies.
    pub(super) fn counted_as(&self) -> (String, String) {
        let kind = if super::approval::is_person(&self.facts) { "user" } else { "service" };
        (self.facts.tenant.to_string(), format!("{kind}:{}", self.facts.principal))
    }
}

/// How an attempt ended that gets no text: with an answer, or because a part failed.
pub(super) enum Stopped {
    Denied(Denial),
    Failed(PortError),
}

impl From<PortError> for Stopped {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

impl Stopped {
    /// Every attempt is an event, also one that failed; what can't be recorded fails.
    pub(super) async fn record(self, desk: &RevealDesk, attempt: &Attempt) -> Result<Denial, PortError> {
        match self {
            Self::Denied(denial) => attempt.deny(desk, denial.code()).await.map(|()| denial),
            Self::Failed(error) => {
                attempt.deny(desk, error.code).await?;
                Err(error)
            }
        }
    }
}
