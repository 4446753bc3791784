//! Policy decisions, remembered. Within one workspace everything a decision looks at stands fast (the key's holder, the
//! capability, the route, the deployment stage), and a decision is pure, so each is made once. The memory ends with the
//! workspace; its size is bounded by keys × capabilities × routes.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use custody_policy::{Decision, InvokeContext, RouteContext};
use custody_types::{ApiKeyId, CapabilityName, RouteName};

use crate::workspace::{ApiKey, Capability, RouteConfig, Workspace};

type Question = (ApiKeyId, CapabilityName, Option<RouteName>);

/// Decisions made so far.
#[derive(Default)]
pub(crate) struct Verdicts(RwLock<HashMap<Question, Decision>>);

impl Verdicts {
    /// May the holder of this key invoke this capability?
    pub(crate) fn may_invoke(&self, workspace: &Workspace, key: &ApiKey, capability: &Capability) -> Decision {
        let question = (key.record.id.clone(), capability.name.clone(), None);
        self.recall(question, || {
            let context = InvokeContext { environment: workspace.environment() };
            workspace.policies.may_invoke(&key.policy, &capability.policy, context)
        })
    }

    /// May this request take this route? Its data class is the capability's.
    pub(crate) fn may_use_route(&self, workspace: &Workspace, key: &ApiKey, capability: &Capability, route: &RouteConfig) -> Decision {
        let question = (key.record.id.clone(), capability.name.clone(), Some(route.name.clone()));
        self.recall(question, || {
            let environment = workspace.environment();
            let context = RouteContext { environment, capability: &capability.policy, data_class: capability.data_class };
            workspace.policies.may_use_route(&key.policy, &route.policy, context)
        })
    }

    fn recall(&self, question: Question, decide: impl FnOnce() -> Decision) -> Decision {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&question) {
            return known.clone();
        }
        let decision = decide();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(question, decision.clone());
        decision
    }
}
