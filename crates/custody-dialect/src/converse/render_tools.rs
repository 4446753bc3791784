//! Tools and the form of the answer, for a Converse provider.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    check::{is_tool_name, missing},
    render_block::WireCachePoint,
};
use crate::{AnswerFormat, JsonSchemaFormat, Options, RequestError, RequestErrorCode as Code, SensitiveJson, ToolChoice, ToolSpec};
use custody_types::SensitiveText;

/// A function without arguments has no schema in OpenAI's form and must have one in Converse's.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireToolConfig {
    tools: Vec<WireTool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WireToolChoice>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum WireTool {
    ToolSpec(WireToolSpec),
    CachePoint(WireCachePoint),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireToolSpec {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    input_schema: WireInputSchema,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct WireInputSchema {
    json: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum WireToolChoice {
    Auto {},
    Any {},
    Tool { name: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireOutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    text_format: Option<WireTextFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
}

#[derive(Serialize)]
struct WireTextFormat {
    r#type: &'static str,
    structure: WireStructure,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireStructure {
    json_schema: WireJsonSchema,
}

#[derive(Serialize)]
struct WireJsonSchema {
    schema: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// The tools. Where none may be called they are left out, which a conversation that already used some does not allow.
pub(super) fn tool_config(options: &Options, uses_tools: bool) -> Result<Option<WireToolConfig>, RequestError> {
    let specs = options.tool_specs()?;
    let choice = options.chosen_tool()?;
    if specs.is_empty() {
        return Ok(None);
    }
    if options.parallel_tool_calls == Some(false) {
        return Err(unsupported("parallel_tool_calls", "can't be switched off for this capability's model"));
    }
    let tool_choice = match choice {
        Some(ToolChoice::Forbidden) if uses_tools => {
            return Err(unsupported("tool_choice", "can't be none for this capability's model once tools were used"));
        }
        Some(ToolChoice::Forbidden) => return Ok(None),
        Some(ToolChoice::Auto) => Some(WireToolChoice::Auto {}),
        Some(ToolChoice::Required) => Some(WireToolChoice::Any {}),
        Some(ToolChoice::Named(name)) => Some(WireToolChoice::Tool { name: checked(&name, "tool_choice.function.name")? }),
        None => None,
    };
    let mut tools = Vec::with_capacity(specs.len());
    for (at, spec) in specs.iter().enumerate() {
        tools.extend(points(options, at));
        tools.push(WireTool::ToolSpec(tool_spec(spec, at)?));
    }
    tools.extend(points(options, specs.len()));
    Ok(Some(WireToolConfig { tools, tool_choice }))
}

fn points(options: &Options, after: usize) -> impl Iterator<Item = WireTool> {
    let here = options.tool_cache_points.iter().filter(move |point| point.after == after);
    here.map(|point| WireTool::CachePoint(point.point.into()))
}

fn tool_spec(spec: &ToolSpec, at: usize) -> Result<WireToolSpec, RequestError> {
    let json = match &spec.parameters {
        Some(parameters) => parameters.raw().to_owned(),
        None => serde_json::from_str(NO_ARGUMENTS).unwrap_or_default(),
    };
    Ok(WireToolSpec {
        name: checked(&spec.name, &format!("tools[{at}].function.name"))?,
        description: spec.description.as_ref().filter(|text| !text.is_empty()).map(owned),
        input_schema: WireInputSchema { json },
        strict: spec.strict,
    })
}

pub(super) fn output_config(options: &Options) -> Result<Option<WireOutputConfig>, RequestError> {
    let text_format = match options.answer_format()? {
        None | Some(AnswerFormat::Text) => None,
        Some(AnswerFormat::JsonObject) => {
            return Err(unsupported("response_format", "must be a JSON schema for this capability's model"));
        }
        Some(AnswerFormat::JsonSchema(format)) => Some(text_format(&format)?),
    };
    let effort = match options.reasoning_effort {
        Some("none") | None => None,
        Some("minimal") => Some("low"),
        effort => effort,
    };
    Ok((text_format.is_some() || effort.is_some()).then_some(WireOutputConfig { text_format, effort }))
}

fn text_format(format: &JsonSchemaFormat) -> Result<WireTextFormat, RequestError> {
    let schema = format.schema.as_ref().ok_or_else(|| missing("response_format.json_schema", "schema"))?;
    let json_schema = WireJsonSchema {
        schema: SensitiveJson::expose(schema).to_owned(),
        name: owned(&format.name),
        description: format.description.as_ref().map(owned),
    };
    Ok(WireTextFormat { r#type: "json_schema", structure: WireStructure { json_schema } })
}

fn checked(name: &SensitiveText, place: &str) -> Result<String, RequestError> {
    if is_tool_name(name.expose()) {
        return Ok(owned(name));
    }
    Err(RequestError::new(Code::InvalidValue, place, "must be 1 to 64 of A-Z a-z 0-9 _ -"))
}

fn owned(text: &SensitiveText) -> String {
    text.expose().to_owned()
}

fn unsupported(param: &str, reason: &'static str) -> RequestError {
    RequestError::new(Code::UnsupportedField, param, reason)
}
