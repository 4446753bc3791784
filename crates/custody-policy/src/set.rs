//! A loaded policy set and the questions it answers.

use std::{collections::HashMap, sync::Arc};

use cedar_policy::{AuthorizationError, Authorizer, PolicyId, Response};
use custody_types::Text;

use crate::{
    decision::{Decision, DenialReason},
    facts::{Capability, Content, Principal, Route},
    load,
    mistake::PolicyMistakes,
    question::{Actions, InvokeContext, Question, RevealContext, RouteContext},
};

/// A file's name, for messages and the hash, and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceFile<'a> {
    /// Name that an operator recognises, such as `policies/acme.cedar`.
    pub name: &'a str,
    /// Whole text.
    pub text: &'a str,
}

/// Validated policies. Immutable; a changed workspace loads another set.
#[derive(Debug)]
pub struct PolicySet {
    pub(crate) authorizer: Authorizer,
    pub(crate) policies: cedar_policy::PolicySet,
    /// Every policy's id as events carry it.
    pub(crate) ids: HashMap<PolicyId, Text>,
    pub(crate) actions: Actions,
    /// Whether the schema knows reveals. Where it does not, no policy was checked against them, and none counts.
    pub(crate) reveals_known: bool,
    pub(crate) hash: Text,
    pub(crate) nothing: Arc<[Text]>,
}

impl PolicySet {
    /// Loads and validates a set. An empty list of files is a valid set that allows nothing (PRN-02).
    ///
    /// # Errors
    /// Every mistake of every file at once.
    pub fn load(schema: SourceFile<'_>, policies: &[SourceFile<'_>]) -> Result<Self, PolicyMistakes> {
        load::load(schema, policies)
    }

    /// SHA-256 in hex of everything that decides: built-in rules, schema, files.
    #[must_use]
    pub const fn hash(&self) -> &Text {
        &self.hash
    }

    /// Ids of all policies, built-in ones included, in order.
    #[must_use]
    pub fn policy_ids(&self) -> Vec<Text> {
        let mut ids: Vec<Text> = self.ids.values().cloned().collect();
        ids.sort();
        ids
    }

    /// May this principal invoke this capability? PATH-03.
    #[must_use]
    pub fn may_invoke(&self, principal: &Principal, capability: &Capability, context: InvokeContext<'_>) -> Decision {
        self.decide(self.actions.invoke(principal, capability, context))
    }

    /// May this principal's request take this route? PATH-09, PRN-13.
    #[must_use]
    pub fn may_use_route(&self, principal: &Principal, route: &Route, context: RouteContext<'_>) -> Decision {
        self.decide(self.actions.use_route(principal, route, context))
    }

    /// May this principal see this kept text? LOG-20.
    #[must_use]
    pub fn may_reveal(&self, principal: &Principal, content: &Content, context: RevealContext<'_>) -> Decision {
        if self.reveals_known { self.decide(self.actions.reveal(principal, content, context)) } else { self.not_permitted() }
    }

    /// The capabilities that this principal may invoke, in the order given.
    #[must_use]
    pub fn capabilities_allowed<'c>(
        &self,
        principal: &Principal,
        candidates: impl IntoIterator<Item = &'c Capability>,
        context: InvokeContext<'_>,
    ) -> Vec<&'c Capability> {
        candidates.into_iter().filter(|capability| self.may_invoke(principal, capability, context).allowed).collect()
    }

    /// The principals who may invoke this capability, in the order given.
    #[must_use]
    pub fn principals_allowed<'p>(
        &self,
        capability: &Capability,
        candidates: impl IntoIterator<Item = &'p Principal>,
        context: InvokeContext<'_>,
    ) -> Vec<&'p Principal> {
        candidates.into_iter().filter(|principal| self.may_invoke(principal, capability, context).allowed).collect()
    }

    /// Facts that the engine does not take are an evaluation error: what cannot be checked is denied.
    fn decide(&self, question: Question) -> Decision {
        match question.ready(None) {
            Ok((request, entities)) => self.explain(&self.authorizer.is_authorized(&request, &self.policies, &entities)),
            Err(_) => self.unevaluated(),
        }
    }

    fn explain(&self, response: &Response) -> Decision {
        let failed: Vec<&PolicyId> = response.diagnostics().errors().map(failed_policy).collect();
        let reasons = response.diagnostics().reason();
        let errors = self.named(failed.iter().copied());
        let (denial, policy_ids) = match response.decision() {
            cedar_policy::Decision::Allow if failed.is_empty() => (None, self.named(reasons)),
            cedar_policy::Decision::Allow => (Some(DenialReason::EvaluationError), Arc::clone(&errors)),
            cedar_policy::Decision::Deny => {
                let policy_ids = self.named(reasons.chain(failed.iter().copied()));
                (Some(denial_reason(&errors, &policy_ids)), policy_ids)
            }
        };
        Decision { allowed: denial.is_none(), policy_ids, errors, denial }
    }

    fn named<'i>(&self, ids: impl Iterator<Item = &'i PolicyId>) -> Arc<[Text]> {
        let mut names: Vec<Text> = ids.map(|id| self.ids.get(id).cloned().unwrap_or_else(|| Text::from(id.to_string()))).collect();
        if names.is_empty() {
            return Arc::clone(&self.nothing);
        }
        names.sort();
        names.into()
    }

    fn unevaluated(&self) -> Decision {
        self.denied(DenialReason::EvaluationError)
    }

    fn not_permitted(&self) -> Decision {
        self.denied(DenialReason::NotPermitted)
    }

    fn denied(&self, denial: DenialReason) -> Decision {
        let nothing = Arc::clone(&self.nothing);
        Decision { allowed: false, policy_ids: Arc::clone(&nothing), errors: nothing, denial: Some(denial) }
    }
}

fn failed_policy(error: &AuthorizationError) -> &PolicyId {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
    }
}

/// A denial in which something failed is named after the failure: a person must act on it.
fn denial_reason(errors: &[Text], policy_ids: &[Text]) -> DenialReason {
    match (errors.is_empty(), policy_ids.is_empty()) {
        (false, _) => DenialReason::EvaluationError,
        (true, false) => DenialReason::Forbidden,
        (true, true) => DenialReason::NotPermitted,
    }
}
