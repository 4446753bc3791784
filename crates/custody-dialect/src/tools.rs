//! Typed readings of tool definitions, tool choices and tool calls, which the neutral form keeps in OpenAI's JSON. A route that
//! passes them on as they are needs none of this; one that must say them in other words reads them here and learns what it can't.

use custody_types::SensitiveText;
use serde_json::value::RawValue;

use crate::{
    Message, Options, RequestError, RequestErrorCode as Code, SensitiveJson, ToolCall,
    fields::{Field, join, showable},
};

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSpec {
    /// The function's name.
    pub name: SensitiveText,
    /// What it does.
    pub description: Option<SensitiveText>,
    /// JSON schema of its arguments.
    pub parameters: Option<SensitiveJson>,
    /// Whether arguments must keep to the schema.
    pub strict: Option<bool>,
}

/// Which tool must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// None may be called.
    Forbidden,
    /// The model chooses whether and which.
    Auto,
    /// Some tool must be called.
    Required,
    /// This one must be called.
    Named(SensitiveText),
}

impl Options {
    /// The tool definitions.
    ///
    /// # Errors
    /// The first that is no function, or has something this reading does not know.
    pub fn tool_specs(&self) -> Result<Vec<ToolSpec>, RequestError> {
        let Some(tools) = &self.tools else { return Ok(Vec::new()) };
        let items = Field { raw: tools.raw(), path: "tools" }.array()?;
        items.into_iter().enumerate().map(|(at, raw)| spec(Field { raw, path: &format!("tools[{at}]") })).collect()
    }

    /// The choice of a tool, where one was made.
    ///
    /// # Errors
    /// A choice that is none of those this reading knows.
    pub fn chosen_tool(&self) -> Result<Option<ToolChoice>, RequestError> {
        self.tool_choice.as_ref().map(|choice| choice_of(Field { raw: choice.raw(), path: "tool_choice" })).transpose()
    }
}

impl Message {
    /// The calls of an assistant's message, which stands at `place`.
    ///
    /// # Errors
    /// The first that is no call of a function.
    pub fn calls(&self, place: &str) -> Result<Vec<ToolCall>, RequestError> {
        let Some(calls) = &self.tool_calls else { return Ok(Vec::new()) };
        let path = join(place, "tool_calls");
        let items = Field { raw: calls.raw(), path: &path }.array()?;
        items.into_iter().enumerate().map(|(at, raw)| call(Field { raw, path: &format!("{path}[{at}]") })).collect()
    }
}

fn spec(tool: Field<'_, '_>) -> Result<ToolSpec, RequestError> {
    let path = join(tool.path, "function");
    let function = Field { raw: function_of(tool)?, path: &path };
    let (mut name, mut description, mut parameters, mut strict) = (None, None, None, None);
    for (key, raw) in function.object()?.0 {
        let place = join(&path, showable(&key));
        let Some(field) = (Field { raw, path: &place }).present() else { continue };
        match key.as_ref() {
            "name" => name = Some(field.text()?),
            "description" => description = Some(field.text()?),
            "parameters" => {
                field.object()?;
                parameters = Some(SensitiveJson::new(raw.to_owned()));
            }
            "strict" => strict = Some(field.boolean()?),
            _ => return Err(function.unknown(&key)),
        }
    }
    let name = name.ok_or_else(|| missing(&path, "name"))?;
    Ok(ToolSpec { name, description, parameters, strict })
}

fn choice_of(choice: Field<'_, '_>) -> Result<ToolChoice, RequestError> {
    if choice.raw.get().starts_with('"') {
        return match choice.string()?.as_ref() {
            "none" => Ok(ToolChoice::Forbidden),
            "auto" => Ok(ToolChoice::Auto),
            "required" => Ok(ToolChoice::Required),
            _ => Err(choice.error(Code::InvalidValue, "is none of the values this field accepts")),
        };
    }
    let path = join(choice.path, "function");
    let function = Field { raw: function_of(choice)?, path: &path };
    let name = function.object()?.0.into_iter().find(|(key, _)| key == "name");
    let (_, raw) = name.ok_or_else(|| missing(&path, "name"))?;
    Field { raw, path: &join(&path, "name") }.text().map(ToolChoice::Named)
}

fn call(call: Field<'_, '_>) -> Result<ToolCall, RequestError> {
    let path = join(call.path, "function");
    let function = Field { raw: function_of(call)?, path: &path };
    let id = call.object()?.0.into_iter().find(|(key, _)| key == "id");
    let (_, raw) = id.ok_or_else(|| missing(call.path, "id"))?;
    let id = Field { raw, path: &join(call.path, "id") }.text()?;
    let (mut name, mut arguments) = (None, SensitiveText::default());
    for (key, raw) in function.object()?.0 {
        let place = join(&path, showable(&key));
        let field = Field { raw, path: &place };
        match key.as_ref() {
            "name" => name = Some(field.text()?),
            "arguments" => arguments = field.text()?,
            _ => return Err(function.unknown(&key)),
        }
    }
    Ok(ToolCall { id, name: name.ok_or_else(|| missing(&path, "name"))?, arguments })
}

/// The `function` of a tool, a choice or a call; other kinds have no words outside their own dialect.
fn function_of<'a>(whole: Field<'a, '_>) -> Result<&'a RawValue, RequestError> {
    let mut function = None;
    for (key, raw) in whole.object()?.0 {
        let place = join(whole.path, showable(&key));
        let field = Field { raw, path: &place };
        match key.as_ref() {
            "type" if field.string()? == "function" => {}
            "type" => return Err(field.error(Code::UnsupportedField, "must be function")),
            "function" => function = Some(raw),
            "id" => {}
            _ => return Err(whole.unknown(&key)),
        }
    }
    function.ok_or_else(|| missing(whole.path, "function"))
}

fn missing(path: &str, name: &str) -> RequestError {
    RequestError::new(Code::MissingField, join(path, name), "is required")
}
