//! Understood: the body was read within its bounds and names a capability. What the caller made up (user, tags, ids, unknown
//! names) becomes safe here or goes no further.

use std::sync::Arc;

use bytes::Bytes;
use custody_dialect::ChatRequest;
use custody_event::Request;
use custody_types::{CapabilityName, Text};

use super::{
    Stopped,
    case::{Case, size},
    foreign_word,
    identify::{Identified, tenant_mismatch},
};
use crate::{
    front::Front,
    gateway::Inner,
    keyed::Purpose,
    refusal::Refusal,
    stage::Stage,
    workspace::{ApiKey, Capability, UnsafeTags},
};

/// Metadata keys by which a caller may try to choose a tenant.
const TENANT_TAGS: [&str; 4] = ["tenant", "tenant_id", "tenant-id", "tenantId"];

/// A request whose body is understood.
pub(super) struct Understood {
    pub(super) case: Case,
    pub(super) key: Arc<ApiKey>,
    pub(super) capability: Arc<Capability>,
    pub(super) chat: ChatRequest,
    _private: (),
}

pub(super) async fn understand(gateway: &Inner, identified: Identified) -> Result<Understood, Box<Stopped>> {
    let Identified { case, key, asked, body, .. } = identified;
    let mut case = case.begin(gateway, Stage::Understand)?;
    let body = match body.read(gateway).await {
        Ok(body) => body,
        Err(refusal) => return Err(case.stop(refusal)),
    };
    note_body(&mut case, &body);
    let mut chat = match asked.read(&body, &gateway.dialect_limits) {
        Ok(chat) => chat,
        Err(refusal) => return Err(case.stop(refusal)),
    };
    note_request(&mut case, &chat);
    let capability = known_capability(gateway, &chat.model);
    match &capability {
        Some(capability) => case.request.requested = Some(capability.name.text()),
        None => case.request.requested_hash = Some(case.hasher.hash(Purpose::Label, chat.model.as_bytes())),
    }
    case.capability.clone_from(&capability);
    if let Err(refusal) = take_caller_words(gateway, &mut case, &key, &mut chat) {
        return Err(case.stop(refusal));
    }
    let Some(capability) = capability else { return Err(case.stop(unknown_capability(asked.front()))) };
    if body.len() as u64 > capability.limits.max_input_bytes {
        let message = format!("the body is longer than this capability takes: at most {} bytes", capability.limits.max_input_bytes);
        return Err(case.stop(Refusal::invalid(413, "input_too_large", message)));
    }
    Ok(Understood { case, key, capability, chat, _private: () })
}

fn known_capability(gateway: &Inner, name: &str) -> Option<Arc<Capability>> {
    let name: CapabilityName = name.parse().ok()?;
    gateway.workspace.capabilities.get(&name).map(Arc::clone)
}

fn unknown_capability(front: Front) -> Refusal {
    let field = front.names().capability;
    let message = format!("`{field}` names no capability of this gateway; GET /v1/models lists those you may use");
    Refusal::invalid(404, "unknown_capability", message).at(field)
}

fn note_body(case: &mut Case, body: &Bytes) {
    case.request.input_bytes = size(body.len());
    case.request.input_hash = Some(case.hasher.hash(Purpose::Content, body));
}

fn note_request(case: &mut Case, chat: &ChatRequest) {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    case.request = Request {
        stream: chat.stream,
        messages: count(chat.messages.len()),
        max_output_tokens: chat.options.max_output_tokens.map(i64::from),
        tools: count(chat.options.tool_count),
        ..std::mem::take(&mut case.request)
    };
}

/// The caller's own words about user, tenant and tags.
fn take_caller_words(gateway: &Inner, case: &mut Case, key: &ApiKey, chat: &mut ChatRequest) -> Result<(), Refusal> {
    if let Some(user) = chat.end_user.take() {
        case.user_pseudonym = Some(case.hasher.hash(Purpose::User, user.expose().as_bytes()));
    }
    let rule = &gateway.workspace.settings.tags;
    for (name, value) in std::mem::take(&mut chat.metadata) {
        if TENANT_TAGS.contains(&name.as_str()) {
            if value != key.record.tenant.as_str() {
                return Err(tenant_mismatch().at(case.wire.front.names().tags));
            }
        } else if let Some(name) = rule.allowed.get(name.as_str()) {
            let tag = match rule.unsafe_values {
                _ if foreign_word::may_stand(&value) => Some(Text::from(value)),
                UnsafeTags::Hash => Some(case.hasher.hash(Purpose::Label, value.as_bytes())),
                UnsafeTags::Drop => None,
            };
            case.tags.extend(tag.map(|tag| (Arc::clone(name), tag)));
        }
    }
    Ok(())
}
