//! The smallest JSON that fits a simple JSON schema, so that a capability with a schema can be tried without a model. Knows
//! `type`, `const`, `enum`, `default`, `properties`, `required`, `items`, `minItems`, `minimum`, `minLength`, `anyOf` and `oneOf`; other words are passed over.

use serde_json::{Map, Value};

const MAX_DEPTH: usize = 16;
const MAX_ITEMS: u64 = 16;
/// The text in every string, so that nobody takes it for a model's.
const TEXT: &str = "simulated";

/// JSON for a `response_format`; `None` where it asks for plain text.
pub(super) fn fill(response_format: &str) -> Option<String> {
    let format: Value = serde_json::from_str(response_format).ok()?;
    match format.get("type")?.as_str()? {
        "json_object" => Some("{\"simulated\":true}".to_owned()),
        "json_schema" => Some(value(format.get("json_schema")?.get("schema")?, MAX_DEPTH).to_string()),
        _ => None,
    }
}

fn value(schema: &Value, depth: usize) -> Value {
    let first = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|all| all.first());
    let fixed = schema.get("const").or_else(|| schema.get("default")).or_else(|| first("enum"));
    if let Some(fixed) = fixed {
        return fixed.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(branch) = first("anyOf").or_else(|| first("oneOf")) {
        return value(branch, depth - 1);
    }
    match type_of(schema) {
        "object" => object(schema, depth),
        "array" => array(schema, depth),
        "string" => Value::from(text(schema)),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| Value::from(0)),
        "boolean" => Value::Bool(false),
        _ => Value::Null,
    }
}

fn type_of(schema: &Value) -> &str {
    let named = schema.get("type").and_then(|named| named.as_str().or_else(|| named.as_array()?.first()?.as_str()));
    let guess = if schema.get("properties").is_some() { "object" } else { "null" };
    named.unwrap_or(guess)
}

fn object(schema: &Value, depth: usize) -> Value {
    let mut object = Map::new();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        object.insert(name.clone(), value(property, depth - 1));
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        object.entry(name).or_insert_with(|| Value::from(TEXT));
    }
    Value::Object(object)
}

fn array(schema: &Value, depth: usize) -> Value {
    let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(MAX_ITEMS);
    let item = schema.get("items").map_or(Value::Null, |items| value(items, depth - 1));
    (0..count).map(|_| item.clone()).collect()
}

fn text(schema: &Value) -> String {
    let least = schema.get("minLength").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let mut text = TEXT.to_owned();
    while text.len() < least.unwrap_or(0).min(1_024) {
        text.push_str(TEXT);
    }
    text
}
