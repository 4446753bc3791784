//! A Converse caller's tools and the form it wants the answer in.

use serde_json::value::RawValue;

use super::{
    Limits,
    check::{missing, not_served, only_member, word_of},
    parse_block::tool_name,
    parse_media::cache_point,
};
use crate::{
    JsonSchemaFormat, Options, RequestError, RequestErrorCode as Code, SensitiveJson, ToolCachePoint, ToolChoice, ToolSpec,
    fields::{Field, join, showable},
};
use custody_types::SensitiveText;

const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];
/// OpenAI's form wants a name for every form of an answer; Converse does not.
const UNNAMED: &str = "answer";

pub(super) fn tool_config(options: &mut Options, config: Field<'_, '_>, limits: &Limits) -> Result<(), RequestError> {
    let mut seen = false;
    for (name, raw) in config.object()?.0 {
        let path = join(config.path, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "tools" => {
                tools(options, field, limits)?;
                seen = true;
            }
            "toolChoice" => options.tool_choice = tool_choice(field)?.to_json(),
            _ => return Err(config.unknown(&name)),
        }
    }
    if seen { Ok(()) } else { Err(missing(config.path, "tools")) }
}

fn tools(options: &mut Options, list: Field<'_, '_>, limits: &Limits) -> Result<(), RequestError> {
    let items = list.array()?;
    if items.len() > limits.tools {
        return Err(list.error(Code::OutOfRange, "has more tools than this gateway accepts"));
    }
    let mut specs = Vec::with_capacity(items.len());
    for (at, raw) in items.into_iter().enumerate() {
        let place = format!("{}[{at}]", list.path);
        let tool = Field { raw, path: &place };
        let (name, raw, path) = only_member(tool)?;
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "toolSpec" => specs.push(tool_spec(field, limits.json_depth)?),
            "cachePoint" => options.tool_cache_points.push(ToolCachePoint { after: specs.len(), point: cache_point(field)? }),
            "systemTool" => return Err(not_served(field)),
            _ => return Err(tool.unknown(&name)),
        }
    }
    if specs.is_empty() {
        return Err(list.error(Code::Empty, "must have at least one tool"));
    }
    options.tool_count = specs.len();
    options.tools = ToolSpec::all_to_json(&specs);
    Ok(())
}

fn tool_spec(whole: Field<'_, '_>, max_depth: usize) -> Result<ToolSpec, RequestError> {
    let (mut name, mut description, mut parameters, mut strict) = (None, None, None, None);
    for (key, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&key));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match key.as_ref() {
            "name" => name = Some(tool_name(field)?),
            "description" => description = Some(field.text()?),
            "inputSchema" => parameters = Some(input_schema(field, max_depth)?),
            "strict" => strict = Some(field.boolean()?),
            _ => return Err(whole.unknown(&key)),
        }
    }
    let name = name.ok_or_else(|| missing(whole.path, "name"))?;
    let parameters = parameters.ok_or_else(|| missing(whole.path, "inputSchema"))?;
    Ok(ToolSpec { name, description, parameters: Some(parameters), strict })
}

fn input_schema(union: Field<'_, '_>, max_depth: usize) -> Result<SensitiveJson, RequestError> {
    let (name, raw, path) = only_member(union)?;
    if name != "json" {
        return Err(union.unknown(&name));
    }
    let field = Field { raw, path: &path };
    field.object()?;
    field.keep(max_depth)
}

fn tool_choice(union: Field<'_, '_>) -> Result<ToolChoice, RequestError> {
    let (name, raw, path) = only_member(union)?;
    let field = Field { raw, path: &path };
    let members = field.object()?.0;
    match (name.as_ref(), members.as_slice()) {
        ("auto", []) => Ok(ToolChoice::Auto),
        ("any", []) => Ok(ToolChoice::Required),
        ("tool", [(key, raw)]) if key == "name" => tool_name(Field { raw, path: &join(&path, "name") }).map(ToolChoice::Named),
        ("tool", []) => Err(missing(&path, "name")),
        ("auto" | "any", [(key, _), ..]) => Err(field.unknown(key)),
        ("tool", all) => Err(field.unknown(all.iter().find(|(key, _)| key != "name").map_or("", |(key, _)| key))),
        _ => Err(union.unknown(&name)),
    }
}

pub(super) fn output_config(options: &mut Options, config: Field<'_, '_>, max_depth: usize) -> Result<(), RequestError> {
    for (name, raw) in config.object()?.0 {
        let path = join(config.path, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "effort" => options.reasoning_effort = Some(word_of(field, &EFFORTS, |word| word)?),
            "textFormat" => options.response_format = text_format(field, max_depth)?.to_json(),
            _ => return Err(config.unknown(&name)),
        }
    }
    Ok(())
}

fn text_format(format: Field<'_, '_>, max_depth: usize) -> Result<JsonSchemaFormat, RequestError> {
    let (mut kind, mut schema) = (false, None);
    for (name, raw) in format.object()?.0 {
        let path = join(format.path, showable(&name));
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "type" if field.string()? == "json_schema" => kind = true,
            "type" => return Err(field.error(Code::InvalidValue, "must be json_schema")),
            "structure" => schema = Some(structure(field, max_depth)?),
            _ => return Err(format.unknown(&name)),
        }
    }
    if !kind {
        return Err(missing(format.path, "type"));
    }
    schema.ok_or_else(|| missing(format.path, "structure"))
}

fn structure(union: Field<'_, '_>, max_depth: usize) -> Result<JsonSchemaFormat, RequestError> {
    let (name, raw, path) = only_member(union)?;
    if name != "jsonSchema" {
        return Err(union.unknown(&name));
    }
    let whole = Field { raw, path: &path };
    let mut format = JsonSchemaFormat { name: SensitiveText::new(UNNAMED), description: None, schema: None, strict: Some(true) };
    for (key, raw) in whole.object()?.0 {
        let place = join(&path, showable(&key));
        let Some(field) = (Field { raw, path: &place }).present() else { continue };
        match key.as_ref() {
            "name" => format.name = tool_name(field)?,
            "description" => format.description = Some(field.text()?),
            "schema" => format.schema = Some(schema_text(field, max_depth)?),
            _ => return Err(whole.unknown(&key)),
        }
    }
    if format.schema.is_some() { Ok(format) } else { Err(missing(&path, "schema")) }
}

/// The schema is a text that holds JSON.
fn schema_text(field: Field<'_, '_>, max_depth: usize) -> Result<SensitiveJson, RequestError> {
    let text = field.string()?;
    let raw: &RawValue = serde_json::from_str(&text).map_err(|_| field.error(Code::NotJson, "must be a text that holds a JSON schema"))?;
    let schema = Field { raw, path: field.path };
    schema.object()?;
    schema.keep(max_depth)
}
