//! The `access` event of an attempt. What it says of an allowed one is durable before anything is opened: a [`Permit`] comes of it.

use custody_event::{Access, Envelope};
use custody_types::{RequestId, Text};

use super::{
    desk::{Asker, Form, RevealDesk},
    ports::{Evidence, PortError},
    text::KeptText,
};

const ALLOW: &str = "allow";
const DENY: &str = "deny";
const PENDING: &str = "pending";

/// Says that a reveal is recorded, durably. Made here only.
#[derive(Debug)]
pub struct Permit {
    _recorded: (),
}

/// What is known of an attempt, growing as it goes on.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    envelope: Envelope,
    access: Access,
}

impl Attempt {
    pub(super) fn to_see(desk: &RevealDesk, asker: &Asker, request: Text, form: Form) -> Self {
        let action = match form {
            Form::Full => "reveal",
            Form::Redacted => "reveal_redacted",
        };
        Self::begin(desk, asker, action, Some(request))
    }

    pub(super) fn to_agree(desk: &RevealDesk, asker: &Asker, action: &'static str, approval_id: &str) -> Self {
        let mut attempt = Self::begin(desk, asker, action, None);
        attempt.access.approval_id = Some(Text::from(approval_id));
        attempt
    }

    fn begin(desk: &RevealDesk, asker: &Asker, action: &'static str, request: Option<Text>) -> Self {
        let envelope = Envelope {
            request_id: request,
            tenant: asker.facts.tenant.text(),
            principal: asker.facts.principal.text(),
            api_key_id: Some(Text::clone(&asker.api_key_id)),
            ..desk.parts.envelope.clone()
        };
        Self { envelope, access: Access { action: Text::from(action), ..Access::default() } }
    }

    pub(super) fn because(&mut self, reason: Text) {
        self.access.reason = Some(reason);
    }

    pub(super) fn concerns<'t>(&mut self, texts: impl Iterator<Item = &'t KeptText>) {
        self.access.content_ids.clear();
        for text in texts {
            self.envelope.request_id = Some(Text::from(text.request().to_string()));
            self.envelope.capability = Some(text.capability.text());
            self.envelope.data_class = Some(Text::from(text.data_class.as_str()));
            self.envelope.handling_rule = Some(Text::clone(&text.handling_rule));
            self.access.content_ids.push(Text::clone(&text.content_id));
        }
    }

    pub(super) fn decided_by(&mut self, policy_ids: Vec<Text>) {
        self.access.policy_ids = policy_ids;
    }

    pub(super) fn approved_by(&mut self, approval_id: &str, second_person: &str) {
        self.access.approval_id = Some(Text::from(approval_id));
        self.access.second_person = Some(Text::from(second_person));
    }

    pub(super) async fn allow(&self, desk: &RevealDesk) -> Result<Permit, PortError> {
        self.record(desk, ALLOW, None).await?;
        Ok(Permit { _recorded: () })
    }

    pub(super) async fn deny(&self, desk: &RevealDesk, code: &str) -> Result<(), PortError> {
        self.record(desk, DENY, Some(code)).await
    }

    pub(super) async fn pending(&mut self, desk: &RevealDesk, approval_id: &str) -> Result<(), PortError> {
        self.access.approval_id = Some(Text::from(approval_id));
        self.record(desk, PENDING, None).await
    }

    async fn record(&self, desk: &RevealDesk, decision: &str, code: Option<&str>) -> Result<(), PortError> {
        let access = Access { decision: Text::from(decision), code: code.map(Text::from), ..self.access.clone() };
        desk.parts.evidence.record(self.envelope.clone(), access).await
    }
}

/// Records that somebody asked whose credential is not known here. `action` is what they asked for.
///
/// # Errors
/// When it can't be recorded.
pub async fn record_unidentified(
    evidence: &dyn Evidence,
    envelope: Envelope,
    action: &str,
    request: Option<RequestId>,
) -> Result<(), PortError> {
    let nobody = Text::from("unidentified");
    let request_id = request.map(|request| Text::from(request.to_string()));
    let envelope = Envelope { request_id, tenant: Text::clone(&nobody), principal: nobody, ..envelope };
    let code = Some(Text::from("invalid_api_key"));
    let access = Access { action: Text::from(action), decision: Text::from(DENY), code, ..Access::default() };
    evidence.record(envelope, access).await
}
