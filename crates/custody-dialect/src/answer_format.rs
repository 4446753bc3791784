//! The form an answer must have: a typed reading of the neutral form, which keeps it as OpenAI's `response_format`.

use custody_types::SensitiveText;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Options, RequestError, RequestErrorCode as Code, SensitiveJson,
    fields::{Field, join, showable},
};

/// The form an answer must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFormat {
    /// Any text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema(JsonSchemaFormat),
}

/// JSON that an answer must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonSchemaFormat {
    /// The form's name.
    pub name: SensitiveText,
    /// What it is for.
    pub description: Option<SensitiveText>,
    /// The JSON schema; absent where the caller gave none.
    pub schema: Option<SensitiveJson>,
    /// Whether the answer must keep to the schema.
    pub strict: Option<bool>,
}

impl Options {
    /// The form the answer must have, where one was asked for.
    ///
    /// # Errors
    /// A form that is none of those this reading knows.
    pub fn answer_format(&self) -> Result<Option<AnswerFormat>, RequestError> {
        self.response_format.as_ref().map(|format| read(Field { raw: format.raw(), path: "response_format" })).transpose()
    }
}

fn read(format: Field<'_, '_>) -> Result<AnswerFormat, RequestError> {
    let (mut kind, mut schema) = (None, None);
    for (name, raw) in format.object()?.0 {
        let path = join(format.path, showable(&name));
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "type" => kind = Some((field.string()?, field.error(Code::UnsupportedField, "must be text, json_object or json_schema"))),
            "json_schema" => schema = Some(read_schema(field)?),
            _ => return Err(format.unknown(&name)),
        }
    }
    let (kind, unknown) = kind.ok_or_else(|| missing(format.path, "type"))?;
    match kind.as_ref() {
        "text" => Ok(AnswerFormat::Text),
        "json_object" => Ok(AnswerFormat::JsonObject),
        "json_schema" => schema.map(AnswerFormat::JsonSchema).ok_or_else(|| missing(format.path, "json_schema")),
        _ => Err(unknown),
    }
}

fn read_schema(whole: Field<'_, '_>) -> Result<JsonSchemaFormat, RequestError> {
    let (mut name, mut description, mut schema, mut strict) = (None, None, None, None);
    for (key, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&key));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match key.as_ref() {
            "name" => name = Some(field.text()?),
            "description" => description = Some(field.text()?),
            "schema" => {
                field.object()?;
                schema = Some(SensitiveJson::new(raw.to_owned()));
            }
            "strict" => strict = Some(field.boolean()?),
            _ => return Err(whole.unknown(&key)),
        }
    }
    let name = name.ok_or_else(|| missing(whole.path, "name"))?;
    Ok(JsonSchemaFormat { name, description, schema, strict })
}

fn missing(path: &str, name: &str) -> RequestError {
    RequestError::new(Code::MissingField, join(path, name), "is required")
}

#[derive(Serialize)]
struct WireFormat<'a> {
    r#type: &'static str,
    json_schema: WireSchema<'a>,
}

#[derive(Serialize)]
struct WireSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl JsonSchemaFormat {
    /// The form in the neutral form.
    pub(crate) fn to_json(&self) -> Option<SensitiveJson> {
        let json_schema = WireSchema {
            name: self.name.expose(),
            description: self.description.as_ref().map(SensitiveText::expose),
            schema: self.schema.as_ref().map(SensitiveJson::raw),
            strict: self.strict,
        };
        SensitiveJson::of(&WireFormat { r#type: "json_schema", json_schema })
    }
}
