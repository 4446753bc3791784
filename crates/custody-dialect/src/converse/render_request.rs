//! A neutral request as a Converse body. What Converse has no words for is refused and named, by its place in the neutral form:
//! to leave it out in silence could change what the answer means.
//!
//! ```text
//! Left out   blank texts (the service refuses them), an image's `detail`, `seed` (a wish by its definition), the effort `none` (a
//!            model reasons when asked), tool choice `none` together with the tools, end user and tags
//! Changed    effort `minimal` is `low`, the nearest; document names are generated; an id of a call that does not fit is fitted
//! Refused    images at an address, temperature over 1, penalties, parallel_tool_calls = false with tools, response_format
//!            json_object, names of speakers, tools other than functions, arguments that are no JSON
//! ```

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    check::is_metadata,
    render_block::WireBlock,
    render_message::{Turn, conversation},
    render_tools::{WireOutputConfig, WireToolConfig, output_config, tool_config},
};
use crate::{ChatRequest, Options, RequestError, RequestErrorCode as Code};

const MAX_STOPS: usize = 2_500;
const MAX_LABELS: usize = 16;

/// Writes the body of a Converse or ConverseStream call; the model stands in the path. `labels` become `requestMetadata`: the
/// gateway's own words (tenant, feature, workflow) and never a caller's.
///
/// # Errors
/// What Converse has no words for.
pub fn render_request(request: &ChatRequest, labels: &BTreeMap<String, String>) -> Result<Vec<u8>, RequestError> {
    let conversation = conversation(&request.messages)?;
    let options = &request.options;
    let body = Body {
        tool_config: tool_config(options, conversation.uses_tools)?,
        system: conversation.system,
        messages: conversation.turns,
        inference_config: inference_config(options)?,
        output_config: output_config(options)?,
        request_metadata: metadata(labels)?,
        performance_config: options.latency.map(|mode| Performance { latency: mode.as_str() }),
        service_tier: options.service_tier.map(|tier| Tier { kind: tier.as_str() }),
    };
    serde_json::to_vec(&body).map_err(|_| RequestError::new(Code::NotJson, "messages", "can't be written as JSON"))
}

fn inference_config(options: &Options) -> Result<Option<Inference<'_>>, RequestError> {
    let error = |code, param, reason| Err(RequestError::new(code, param, reason));
    if options.temperature.is_some_and(|temperature| temperature > 1.0) {
        return error(Code::OutOfRange, "temperature", "must be between 0 and 1 for this capability's model");
    }
    if options.presence_penalty.is_some_and(|penalty| penalty != 0.0) {
        return error(Code::UnsupportedField, "presence_penalty", "is not known to this capability's model");
    }
    if options.frequency_penalty.is_some_and(|penalty| penalty != 0.0) {
        return error(Code::UnsupportedField, "frequency_penalty", "is not known to this capability's model");
    }
    if options.stop.len() > MAX_STOPS || options.stop.iter().any(|stop| stop.is_empty()) {
        return error(Code::OutOfRange, "stop", "must be at most 2500 texts, none of them empty");
    }
    let config = Inference {
        max_tokens: options.max_output_tokens,
        temperature: options.temperature,
        top_p: options.top_p,
        stop_sequences: options.stop.iter().map(|stop| stop.expose()).collect(),
    };
    Ok((config != Inference::default()).then_some(config))
}

fn metadata(labels: &BTreeMap<String, String>) -> Result<Option<&BTreeMap<String, String>>, RequestError> {
    let fits = |(key, value): (&String, &String)| !key.is_empty() && is_metadata(key) && is_metadata(value);
    if labels.len() > MAX_LABELS || !labels.iter().all(fits) {
        return Err(RequestError::new(Code::InvalidValue, "metadata", "has more than 16 labels, or one the provider does not take"));
    }
    Ok((!labels.is_empty()).then_some(labels))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<WireBlock<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_config: Option<Inference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<WireToolConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<WireOutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_metadata: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_config: Option<Performance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<Tier>,
}

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Inference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
}

#[derive(Serialize)]
struct Performance {
    latency: &'static str,
}

#[derive(Serialize)]
struct Tier {
    #[serde(rename = "type")]
    kind: &'static str,
}
