//! Assembled: the registry's prompt, then what the caller sent (PATH-07). Only the registry speaks as the system.

use std::sync::Arc;

use custody_dialect::{ChatRequest, Message, Role};
use custody_event::{Prompt, PromptPart};
use custody_types::{SensitiveText, Text};

use super::{
    Stopped,
    authorise::Authorised,
    case::{Case, size},
};
use crate::{
    gateway::Inner,
    keyed::{Purpose, TenantHasher},
    stage::Stage,
    workspace::{ApiKey, Capability},
};

/// What stands before a caller's system text, once it is a user message.
const DEMOTED: &str = "The calling application adds the following context:\n";

/// Most parts that an event lists one by one; a longer conversation's rest is one part.
const MAX_PARTS: usize = 64;

/// A request as the model will see it.
pub(super) struct Assembled {
    pub(super) case: Case,
    pub(super) key: Arc<ApiKey>,
    pub(super) capability: Arc<Capability>,
    pub(super) chat: Arc<ChatRequest>,
    pub(super) prompt: Prompt,
    _private: (),
}

pub(super) fn assemble(gateway: &Inner, authorised: Authorised) -> Result<Assembled, Box<Stopped>> {
    let Authorised { case, key, capability, mut chat, .. } = authorised;
    let case = case.begin(gateway, Stage::Assemble)?;
    let demoted = chat.demote_system_messages(DEMOTED);
    let most = u32::try_from(capability.limits.max_output_tokens).unwrap_or(u32::MAX);
    chat.options.max_output_tokens.get_or_insert(most);
    let template = &capability.prompt;
    let mut parts = vec![PromptPart {
        part: Text::from("system"),
        source: Text::from("registry"),
        bytes: size(template.text.len()),
        hash: Some(case.hasher.hash(Purpose::Content, template.text.as_bytes())),
    }];
    parts.extend(caller_parts(&case.hasher, &chat));
    if let Some(schema) = &capability.validation.schema {
        chat.options.response_format = schema.response_format.clone();
    }
    chat.prepend([Message::text(Role::System, SensitiveText::new(&*template.text))]);
    let prompt = Prompt {
        prompt_id: template.id.text(),
        version: Arc::clone(&template.version_text),
        template_hash: Arc::clone(&template.hash),
        parts,
        caller_system: Text::from(if demoted > 0 { "demoted" } else { "none" }),
    };
    Ok(Assembled { case, key, capability, chat: Arc::new(chat), prompt, _private: () })
}

fn caller_parts(hasher: &TenantHasher, chat: &ChatRequest) -> Vec<PromptPart> {
    let room = MAX_PARTS.saturating_sub(4);
    let single = chat.messages.iter().take(room);
    let mut parts: Vec<PromptPart> =
        single.map(|message| part(hasher, message.role.as_str(), |visit| message.visit_payload(visit))).collect();
    if chat.messages.len() > room {
        parts.push(part(hasher, "context", |visit| chat.messages.iter().skip(room).for_each(|message| message.visit_payload(&mut *visit))));
    }
    if let Some(tools) = &chat.options.tools {
        parts.push(part(hasher, "tool", |visit| visit(tools.expose())));
    }
    if let Some(format) = &chat.options.response_format {
        parts.push(part(hasher, "schema", |visit| visit(format.expose())));
    }
    parts
}

fn part(hasher: &TenantHasher, name: &str, payload: impl FnOnce(&mut dyn FnMut(&str))) -> PromptPart {
    let mut hashing = hasher.content();
    let mut bytes = 0;
    payload(&mut |text| {
        bytes += text.len();
        hashing.add(text.as_bytes());
    });
    PromptPart { part: Text::from(name), source: Text::from("caller"), bytes: size(bytes), hash: Some(hashing.finish()) }
}
