//! Tools, choices and calls of another dialect, written in the neutral form.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{SensitiveJson, ToolCall, ToolChoice, ToolSpec};

#[derive(Serialize)]
struct WireTool<'a> {
    r#type: &'static str,
    function: WireSpec<'a>,
}

#[derive(Serialize)]
struct WireSpec<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: WireArguments<'a>,
}

#[derive(Serialize)]
struct WireArguments<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct WireChoice<'a> {
    r#type: &'static str,
    function: WireName<'a>,
}

#[derive(Serialize)]
struct WireName<'a> {
    name: &'a str,
}

impl ToolSpec {
    /// Tool definitions in the neutral form.
    pub(crate) fn all_to_json(specs: &[Self]) -> Option<SensitiveJson> {
        let wire = |spec| WireTool { r#type: "function", function: WireSpec::from(spec) };
        SensitiveJson::of(&specs.iter().map(wire).collect::<Vec<_>>())
    }
}

impl<'a> From<&'a ToolSpec> for WireSpec<'a> {
    fn from(spec: &'a ToolSpec) -> Self {
        Self {
            name: spec.name.expose(),
            description: spec.description.as_ref().map(custody_types::SensitiveText::expose),
            parameters: spec.parameters.as_ref().map(SensitiveJson::raw),
            strict: spec.strict,
        }
    }
}

impl ToolChoice {
    /// The choice in the neutral form.
    pub(crate) fn to_json(&self) -> Option<SensitiveJson> {
        match self {
            Self::Forbidden => SensitiveJson::of(&"none"),
            Self::Auto => SensitiveJson::of(&"auto"),
            Self::Required => SensitiveJson::of(&"required"),
            Self::Named(name) => SensitiveJson::of(&WireChoice { r#type: "function", function: WireName { name: name.expose() } }),
        }
    }
}

impl ToolCall {
    /// Tool calls in the neutral form.
    pub(crate) fn all_to_json(calls: &[Self]) -> Option<SensitiveJson> {
        SensitiveJson::of(&calls.iter().map(WireCall::from).collect::<Vec<_>>())
    }
}

impl<'a> From<&'a ToolCall> for WireCall<'a> {
    fn from(call: &'a ToolCall) -> Self {
        let function = WireArguments { name: call.name.expose(), arguments: call.arguments.expose() };
        Self { id: call.id.expose(), r#type: "function", function }
    }
}
