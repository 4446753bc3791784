//! A caller's body, read strictly: each mistake gives one typed error that names the place and never quotes the value.

use std::collections::BTreeMap;

use super::parse_message::parse_message;
use crate::{
    ChatRequest, Options, RequestError, RequestErrorCode as Code,
    fields::{Field, body_value, join, showable},
};

/// Fields of the OpenAI API that are not served; each could change what an answer is or where text goes.
const UNSUPPORTED: [&str; 12] = [
    "audio",
    "function_call",
    "functions",
    "logit_bias",
    "moderation",
    "prediction",
    "prompt_cache_options",
    "prompt_cache_retention",
    "top_logprobs",
    "verbosity",
    "web_search_options",
    "inference_geo",
];

const REASONING_EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const MAX_STOPS: usize = 4;
const MAX_METADATA: usize = 16;
const MAX_METADATA_KEY: usize = 64;
const MAX_METADATA_VALUE: usize = 512;

/// Bounds on what one request may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest body in bytes. A server should stop reading there as well.
    pub body_bytes: usize,
    /// Most messages.
    pub messages: usize,
    /// Most output tokens a caller may ask for.
    pub output_tokens: u32,
    /// Longest `model` in bytes.
    pub model_bytes: usize,
    /// Most tool definitions.
    pub tools: usize,
    /// Deepest nesting of JSON that is passed on, such as a tool's schema.
    pub json_depth: usize,
}

impl Default for Limits {
    /// Wider than any request we have seen in public traces, and narrow enough that one request can't take the memory of many.
    fn default() -> Self {
        Self { body_bytes: 8 << 20, messages: 2_048, output_tokens: 1_000_000, model_bytes: 128, tools: 256, json_depth: 64 }
    }
}

/// Reads the body of `POST /v1/chat/completions`.
///
/// # Errors
/// The first mistake in the body.
pub fn parse_chat_request(body: &[u8], limits: &Limits) -> Result<ChatRequest, RequestError> {
    let raw = body_value(body, limits.body_bytes)?;
    let root = Field { raw, path: "" };
    let mut request = ChatRequest::default();
    let mut reader = Reader { limits, root, user: None, seen_max_tokens: None };
    for (name, raw) in root.object()?.0 {
        if let Some(field) = (Field { raw, path: &name }).present() {
            reader.field(&mut request, &name, field)?;
        }
    }
    request.end_user = request.end_user.or(reader.user);
    check_required(&request)?;
    Ok(request)
}

fn check_required(request: &ChatRequest) -> Result<(), RequestError> {
    if request.model.is_empty() {
        return Err(RequestError::new(Code::MissingField, "model", "is required: name a capability"));
    }
    if request.messages.is_empty() {
        return Err(RequestError::new(Code::MissingField, "messages", "is required: give at least one message"));
    }
    if request.include_usage && !request.stream {
        return Err(RequestError::new(Code::ConflictingFields, "stream_options", "is only allowed where `stream` is true"));
    }
    Ok(())
}

struct Reader<'a, 'l> {
    limits: &'l Limits,
    root: Field<'a, 'static>,
    user: Option<custody_types::SensitiveText>,
    seen_max_tokens: Option<u32>,
}

impl Reader<'_, '_> {
    fn field(&mut self, request: &mut ChatRequest, name: &str, field: Field<'_, '_>) -> Result<(), RequestError> {
        match name {
            "model" => request.model = self.model(field)?,
            "messages" => request.messages = self.messages(field)?,
            "stream" => request.stream = field.boolean()?,
            "stream_options" => request.include_usage = include_usage(field)?,
            "safety_identifier" => request.end_user = Some(field.text()?),
            "user" => self.user = Some(field.text()?),
            "metadata" => request.metadata = metadata(field)?,
            "n" => only_one(field)?,
            "store" | "logprobs" => only_false(field)?,
            "prompt_cache_key" => drop(field.string()?),
            "service_tier" => only_words(field, &["auto", "default"])?,
            "modalities" => only_text(field)?,
            _ => return self.option(&mut request.options, name, field),
        }
        Ok(())
    }

    fn option(&mut self, options: &mut Options, name: &str, field: Field<'_, '_>) -> Result<(), RequestError> {
        const PENALTY: &str = "must be between -2 and 2";
        match name {
            "max_tokens" | "max_completion_tokens" => options.max_output_tokens = Some(self.max_tokens(field)?),
            "temperature" => options.temperature = Some(field.number(0.0..=2.0, "must be between 0 and 2")?),
            "top_p" => options.top_p = Some(field.number(0.0..=1.0, "must be between 0 and 1")?),
            "presence_penalty" => options.presence_penalty = Some(field.number(-2.0..=2.0, PENALTY)?),
            "frequency_penalty" => options.frequency_penalty = Some(field.number(-2.0..=2.0, PENALTY)?),
            "seed" => options.seed = Some(field.integer(i64::MIN..=i64::MAX, "must fit into 64 bits")?),
            "stop" => options.stop = stop(field)?,
            "reasoning_effort" => options.reasoning_effort = Some(one_of(field, &REASONING_EFFORTS)?),
            "parallel_tool_calls" => options.parallel_tool_calls = Some(field.boolean()?),
            "tools" => self.tools(options, field)?,
            "tool_choice" => options.tool_choice = Some(self.choice(field)?),
            "response_format" => options.response_format = Some(self.object(field)?),
            _ if UNSUPPORTED.contains(&name) => return Err(field.error(Code::UnsupportedField, "is not served by this gateway")),
            _ => return Err(self.root.unknown(name)),
        }
        Ok(())
    }

    fn model(&self, field: Field<'_, '_>) -> Result<String, RequestError> {
        let model = field.string()?;
        match model.len() {
            0 => Err(field.error(Code::Empty, "must name a capability")),
            length if length > self.limits.model_bytes => Err(field.error(Code::OutOfRange, "is longer than any capability's name")),
            _ => Ok(model.into_owned()),
        }
    }

    fn messages(&self, field: Field<'_, '_>) -> Result<Vec<crate::Message>, RequestError> {
        let items = field.array()?;
        if items.is_empty() {
            return Err(field.error(Code::Empty, "must have at least one message"));
        }
        if items.len() > self.limits.messages {
            return Err(field.error(Code::TooManyMessages, "has more messages than this gateway accepts"));
        }
        let parse = |(at, raw)| parse_message(raw, at, self.limits.json_depth);
        items.into_iter().enumerate().map(parse).collect()
    }

    fn max_tokens(&mut self, field: Field<'_, '_>) -> Result<u32, RequestError> {
        let most = i64::from(self.limits.output_tokens);
        let value = field.integer(1..=most, "must be at least 1 and within this gateway's limit")?;
        let value = u32::try_from(value).map_err(|_| field.error(Code::OutOfRange, "is too large"))?;
        match self.seen_max_tokens.replace(value) {
            Some(other) if other != value => {
                Err(field.error(Code::ConflictingFields, "differs from the other of `max_tokens` and `max_completion_tokens`"))
            }
            _ => Ok(value),
        }
    }

    fn tools(&self, options: &mut Options, field: Field<'_, '_>) -> Result<(), RequestError> {
        let items = field.array()?;
        if items.len() > self.limits.tools {
            return Err(field.error(Code::OutOfRange, "has more tools than this gateway accepts"));
        }
        for (at, raw) in items.iter().enumerate() {
            Field { raw, path: &format!("tools[{at}]") }.object()?;
        }
        options.tool_count = items.len();
        options.tools = if items.is_empty() { None } else { Some(field.keep(self.limits.json_depth)?) };
        Ok(())
    }

    fn choice(&self, field: Field<'_, '_>) -> Result<crate::SensitiveJson, RequestError> {
        if field.raw.get().starts_with('"') {
            one_of(field, &["none", "auto", "required"])?;
        } else {
            field.object()?;
        }
        field.keep(self.limits.json_depth)
    }

    fn object(&self, field: Field<'_, '_>) -> Result<crate::SensitiveJson, RequestError> {
        field.object()?;
        field.keep(self.limits.json_depth)
    }
}

fn include_usage(field: Field<'_, '_>) -> Result<bool, RequestError> {
    let mut include = false;
    for (name, raw) in field.object()?.0 {
        let path = join(field.path, showable(&name));
        let Some(option) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "include_usage" => include = option.boolean()?,
            // Padding against traffic analysis: this gateway adds none, and the answer means the same without.
            "include_obfuscation" => drop(option.boolean()?),
            _ => return Err(field.unknown(&name)),
        }
    }
    Ok(include)
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
        if name.len() > MAX_METADATA_KEY || value.len() > MAX_METADATA_VALUE {
            return Err(field.error(Code::OutOfRange, "has a key over 64 bytes or a value over 512"));
        }
        tags.insert(name.into_owned(), value.into_owned());
    }
    Ok(tags)
}

fn stop(field: Field<'_, '_>) -> Result<Vec<custody_types::SensitiveText>, RequestError> {
    if field.raw.get().starts_with('"') {
        return Ok(vec![field.text()?]);
    }
    let items = field.array()?;
    if items.len() > MAX_STOPS {
        return Err(field.error(Code::OutOfRange, "may have at most 4 texts"));
    }
    items.into_iter().map(|raw| Field { raw, path: field.path }.text()).collect()
}

fn only_one(field: Field<'_, '_>) -> Result<(), RequestError> {
    field.integer(1..=1, "must be 1: one request, one answer, one record").map(drop)
}

fn only_false(field: Field<'_, '_>) -> Result<(), RequestError> {
    match field.boolean()? {
        false => Ok(()),
        true => Err(field.error(Code::UnsupportedField, "is not served by this gateway: leave it out or send false")),
    }
}

fn only_words(field: Field<'_, '_>, words: &[&'static str]) -> Result<(), RequestError> {
    let unsupported = |_| field.error(Code::UnsupportedField, "has a value that is not served by this gateway");
    field.string()?;
    one_of(field, words).map(drop).map_err(unsupported)
}

fn only_text(field: Field<'_, '_>) -> Result<(), RequestError> {
    for raw in field.array()? {
        only_words(Field { raw, path: field.path }, &["text"])?;
    }
    Ok(())
}

fn one_of(field: Field<'_, '_>, words: &[&'static str]) -> Result<&'static str, RequestError> {
    let word = field.string()?;
    let known = words.iter().find(|known| **known == word).copied();
    known.ok_or_else(|| field.error(Code::InvalidValue, "is none of the values this field accepts"))
}
