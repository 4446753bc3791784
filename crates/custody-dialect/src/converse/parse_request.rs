//! A Converse caller's body, read strictly: each mistake gives one typed error that names the place and never quotes the value.

use std::collections::BTreeMap;

use custody_types::SensitiveText;

use super::{
    Limits,
    check::{is_metadata, missing, not_served, word_of},
    parse_message::{parse_message, parse_system},
    parse_tools::{output_config, tool_config},
};
use crate::{
    ChatRequest, LatencyMode, Message, Options, RequestError, RequestErrorCode as Code, ServiceTier,
    fields::{Field, body_value, join, showable},
};

const MAX_STOPS: usize = 2_500;
const MAX_METADATA: usize = 16;
const MAX_METADATA_KEY: usize = 256;

/// Reads the body of `POST /model/{modelId}/converse` or, with `stream`, of `…/converse-stream`. `model_id` is the path's word,
/// decoded. The system's text becomes the first message; a gateway then demotes or refuses it as it does for any dialect.
///
/// # Errors
/// The first mistake in the path or the body.
pub fn parse_request(model_id: &str, body: &[u8], stream: bool, limits: &Limits) -> Result<ChatRequest, RequestError> {
    if model_id.is_empty() {
        return Err(RequestError::new(Code::Empty, "modelId", "must name a capability"));
    }
    if model_id.len() > limits.model_bytes {
        return Err(RequestError::new(Code::OutOfRange, "modelId", "is longer than any capability's name"));
    }
    let raw = body_value(body, limits.body_bytes)?;
    let root = Field { raw, path: "" };
    let mut request = ChatRequest { model: model_id.to_owned(), stream, include_usage: stream, ..ChatRequest::default() };
    let mut system = None;
    for (name, raw) in root.object()?.0 {
        let Some(field) = (Field { raw, path: &name }).present() else { continue };
        match name.as_ref() {
            "messages" => request.messages = messages(field, limits)?,
            "system" => system = parse_system(field)?,
            "requestMetadata" => request.metadata = metadata(field)?,
            _ => option(&mut request.options, root, &name, field, limits)?,
        }
    }
    if request.messages.is_empty() {
        return Err(missing("", "messages"));
    }
    request.prepend(system);
    if request.messages.len() > limits.messages {
        return Err(RequestError::new(Code::TooManyMessages, "messages", "has more messages than this gateway accepts"));
    }
    Ok(request)
}

fn option(options: &mut Options, root: Field<'_, '_>, name: &str, field: Field<'_, '_>, limits: &Limits) -> Result<(), RequestError> {
    match name {
        "inferenceConfig" => inference_config(options, field, limits),
        "toolConfig" => tool_config(options, field, limits),
        "outputConfig" => output_config(options, field, limits.json_depth),
        "serviceTier" => {
            options.service_tier = Some(only_word(field, "type", &ServiceTier::ALL, ServiceTier::as_str)?);
            Ok(())
        }
        "performanceConfig" => {
            options.latency = Some(only_word(field, "latency", &LatencyMode::ALL, LatencyMode::as_str)?);
            Ok(())
        }
        "guardrailConfig" => Err(field.error(Code::UnsupportedField, "is not a caller's to choose: this gateway sets the guardrails")),
        "additionalModelRequestFields" | "promptVariables" => match field.object()?.0.first() {
            None => Ok(()),
            Some((first, _)) => {
                Err(RequestError::new(Code::UnsupportedField, join(name, showable(first)), "is not served by this gateway"))
            }
        },
        "additionalModelResponseFieldPaths" if field.array()?.is_empty() => Ok(()),
        "additionalModelResponseFieldPaths" => Err(not_served(field)),
        _ => Err(root.unknown(name)),
    }
}

fn messages(field: Field<'_, '_>, limits: &Limits) -> Result<Vec<Message>, RequestError> {
    let items = field.array()?;
    if items.is_empty() {
        return Err(field.error(Code::Empty, "must have at least one message"));
    }
    if items.len() > limits.messages {
        return Err(field.error(Code::TooManyMessages, "has more messages than this gateway accepts"));
    }
    let mut messages = Vec::with_capacity(items.len());
    for (at, raw) in items.into_iter().enumerate() {
        parse_message(Field { raw, path: &format!("messages[{at}]") }, limits.json_depth, &mut messages)?;
    }
    Ok(messages)
}

fn inference_config(options: &mut Options, config: Field<'_, '_>, limits: &Limits) -> Result<(), RequestError> {
    const UNIT: &str = "must be between 0 and 1";
    for (name, raw) in config.object()?.0 {
        let path = join(config.path, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "maxTokens" => {
                let most = i64::from(limits.output_tokens);
                let value = field.integer(1..=most, "must be at least 1 and within this gateway's limit")?;
                options.max_output_tokens = u32::try_from(value).ok();
            }
            "temperature" => options.temperature = Some(field.number(0.0..=1.0, UNIT)?),
            "topP" => options.top_p = Some(field.number(0.0..=1.0, UNIT)?),
            "stopSequences" => options.stop = stops(field)?,
            _ => return Err(config.unknown(&name)),
        }
    }
    Ok(())
}

fn stops(field: Field<'_, '_>) -> Result<Vec<SensitiveText>, RequestError> {
    let items = field.array()?;
    if items.len() > MAX_STOPS {
        return Err(field.error(Code::OutOfRange, "may have at most 2500 texts"));
    }
    let stops: Vec<SensitiveText> = items.into_iter().map(|raw| Field { raw, path: field.path }.text()).collect::<Result<_, _>>()?;
    if stops.iter().any(SensitiveText::is_empty) {
        return Err(field.error(Code::OutOfRange, "has an empty text"));
    }
    Ok(stops)
}

/// An object of one required word.
fn only_word<T: Copy>(object: Field<'_, '_>, member: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, RequestError> {
    let mut found = None;
    for (key, raw) in object.object()?.0 {
        if key != member {
            return Err(object.unknown(&key));
        }
        found = Some(word_of(Field { raw, path: &join(object.path, member) }, all, name)?);
    }
    found.ok_or_else(|| missing(object.path, member))
}

fn metadata(field: Field<'_, '_>) -> Result<BTreeMap<String, String>, RequestError> {
    let pairs = field.object()?.0;
    if pairs.len() > MAX_METADATA {
        return Err(field.error(Code::OutOfRange, "may have at most 16 pairs"));
    }
    let mut tags = BTreeMap::new();
    for (name, raw) in pairs {
        let path = join(field.path, showable(&name));
        let value = Field { raw, path: &path }.string()?;
        if !(1..=MAX_METADATA_KEY).contains(&name.len()) || !is_metadata(&name) || !is_metadata(&value) {
            let reason = "has a key or value over 256 characters or with others than letters, digits, spaces and :_@$#=/+,.-";
            return Err(field.error(Code::InvalidValue, reason));
        }
        tags.insert(name.into_owned(), value.into_owned());
    }
    Ok(tags)
}
