//! The event schema is frozen once written: fields may be added with a default and a new id, and nothing else may change.
//!
//! `schemas/event/frozen/*.avsc` are copies of every version that ever wrote; the current schema must be able to read each, and
//! must give no permanent id a second meaning (Avro 1.11, "Schema Resolution").

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

pub fn findings() -> Result<Vec<String>> {
    let folder = run::root().join("schemas/event");
    let current = fields_by_id(&read(&folder.join("v1.avsc"))?);
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(folder.join("frozen")).context("schemas/event/frozen is missing")? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for (id, old) in fields_by_id(&read(&path)?) {
            match current.get(&id) {
                None => findings.push(format!("schema: field id {id} (`{}`) of {name} is gone", old.path)),
                Some(now) if *now != old => {
                    findings.push(format!(
                        "schema: field id {id} was `{}` {} in {name} and is `{}` {} now",
                        old.path, old.kind, now.path, now.kind
                    ));
                }
                Some(_) => {}
            }
        }
        let frozen = fields_by_id(&read(&path)?);
        let known = |path: &str| frozen.values().any(|field| field.path == path);
        // A record that is new as a whole is absent in older events, or is there with all its fields.
        let joined_old = |field: &FieldFacts| field.path.rsplit_once('.').is_none_or(|(parent, _)| known(parent));
        let added = current.iter().filter(|(id, field)| !frozen.contains_key(id) && joined_old(field));
        findings.extend(
            added
                .filter(|(_, field)| !field.has_default)
                .map(|(id, field)| format!("schema: field id {id} (`{}`) came after {name} and needs a default", field.path)),
        );
    }
    Ok(findings)
}

fn read(path: &std::path::Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

#[derive(PartialEq, Eq)]
struct FieldFacts {
    path: String,
    kind: String,
    has_default: bool,
}

fn fields_by_id(record: &Value) -> BTreeMap<u64, FieldFacts> {
    let mut found = BTreeMap::new();
    walk(record, "", &mut found);
    found
}

fn walk(avro_type: &Value, path: &str, found: &mut BTreeMap<u64, FieldFacts>) {
    match avro_type {
        Value::Array(branches) => branches.iter().for_each(|branch| walk(branch, path, found)),
        Value::Object(map) => {
            ["items", "values"].iter().filter_map(|key| map.get(*key)).for_each(|inner| walk(inner, path, found));
            for field in map.get("fields").and_then(Value::as_array).into_iter().flatten() {
                let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
                let here = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                let field_type = field.get("type").cloned().unwrap_or_default();
                if let Some(id) = field.get("field-id").and_then(Value::as_u64) {
                    let facts = FieldFacts { path: here.clone(), kind: shape(&field_type), has_default: field.get("default").is_some() };
                    found.insert(id, facts);
                }
                walk(&field_type, &here, found);
            }
        }
        _ => {}
    }
}

/// The type without documentation and without the fields of records, which are compared one by one.
fn shape(avro_type: &Value) -> String {
    match avro_type {
        Value::String(name) => name.clone(),
        Value::Array(branches) => branches.iter().map(shape).collect::<Vec<_>>().join("|"),
        Value::Object(map) => {
            let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
            let inner = ["items", "values"].iter().filter_map(|key| map.get(*key)).map(shape).collect::<String>();
            let logical = map.get("logicalType").and_then(Value::as_str).unwrap_or_default();
            format!("{kind}{logical}<{inner}>")
        }
        _ => String::new(),
    }
}
