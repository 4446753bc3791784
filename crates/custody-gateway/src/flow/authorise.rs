//! Authorised: a policy permits this caller to invoke this capability, before anything costs money (PATH-03).

use std::sync::Arc;

use custody_dialect::ChatRequest;
use custody_types::Text;

use super::{Stopped, case::Case, understand::Understood};
use crate::{
    front::Names,
    gateway::Inner,
    refusal::Refusal,
    stage::Stage,
    workspace::{ApiKey, CallerSystem, Capability},
};

/// A request that may be served.
pub(super) struct Authorised {
    pub(super) case: Case,
    pub(super) key: Arc<ApiKey>,
    pub(super) capability: Arc<Capability>,
    pub(super) chat: ChatRequest,
    _private: (),
}

pub(super) fn authorise(gateway: &Inner, understood: Understood) -> Result<Authorised, Box<Stopped>> {
    let Understood { case, key, capability, chat, .. } = understood;
    let mut case = case.begin(gateway, Stage::Authorise)?;
    let names = case.wire.front.names();
    let decision = gateway.verdicts.may_invoke(&gateway.workspace, &key, &capability);
    case.request.policy_ids = decision.policy_ids.to_vec();
    if !decision.allowed {
        let refusal = Refusal::forbidden("capability_denied", "no policy permits this API key to invoke this capability");
        return Err(case.stop(refusal.at(names.capability)));
    }
    if let Err(refusal) = within_rules(&capability, &chat, names) {
        return Err(case.stop(refusal));
    }
    case.request.decision = Text::from(decision.as_str());
    Ok(Authorised { case, key, capability, chat, _private: () })
}

/// The capability's own rules, which no policy can widen.
fn within_rules(capability: &Capability, chat: &ChatRequest, names: &Names) -> Result<(), Refusal> {
    let most = capability.limits.max_output_tokens;
    if chat.options.max_output_tokens.is_some_and(|asked| u64::from(asked) > most) {
        let message = format!("`{}` is larger than this capability allows: at most {most}", names.output_limit);
        return Err(Refusal::invalid(400, "max_tokens_too_large", message).at(names.output_limit));
    }
    let has_system = chat.messages.iter().any(|message| message.role.is_instruction());
    if has_system && capability.caller_system == CallerSystem::Refuse {
        let refusal = Refusal::invalid(400, "caller_system_refused", "this capability takes no system or developer messages");
        return Err(refusal.at(names.system));
    }
    Ok(())
}
