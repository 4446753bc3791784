//! The schema as a tree of fields with permanent ids, read once from the Avro file.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

/// The Avro schema that this version writes.
pub const EVENT_SCHEMA_JSON: &str = include_str!("../../../schemas/event/v1.avsc");

/// Every version that was ever released, oldest first: what it wrote stays readable for ever. The last is the current one.
pub const RELEASED_SCHEMAS_JSON: [&str; 3] = [
    include_str!("../../../schemas/event/frozen/v1-0.avsc"),
    include_str!("../../../schemas/event/frozen/v1-1.avsc"),
    include_str!("../../../schemas/event/frozen/v1-2.avsc"),
];

/// The kinds' field names, in schema order; also the prefixes of the table's columns.
pub const KIND_NAMES: [&str; 12] =
    ["request", "prompt", "route", "invocation", "validation", "cost", "outcome", "control", "guardrail", "content", "access", "feedback"];

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Permanent id, unique over all levels; never reused.
    pub id: u32,
    /// Name in Avro.
    pub name: String,
    /// What the schema says about it.
    pub doc: String,
    /// Its type, with nullability taken off.
    pub field_type: FieldType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// The types that events use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// Avro boolean.
    Bool,
    /// Avro int, long, or long with timestamp-micros.
    Integer,
    /// Avro string.
    String,
    /// Array of a type.
    List(Box<FieldType>),
    /// Map from string to a type.
    Map(Box<FieldType>),
    /// Nested record.
    Record(SchemaTree),
}

/// The fields of a record, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaTree {
    fields: Vec<Field>,
    by_name: BTreeMap<String, usize>,
}

impl SchemaTree {
    /// The tree of the schema that this version writes.
    #[must_use]
    pub fn current() -> &'static Self {
        static CURRENT: LazyLock<SchemaTree> = LazyLock::new(|| SchemaTree::parse(EVENT_SCHEMA_JSON).unwrap_or_default());
        &CURRENT
    }

    /// Reads a schema; nothing where it is not an Avro record whose fields all carry a `field-id`.
    #[must_use]
    pub fn parse(avro_schema_json: &str) -> Option<Self> {
        Self::from_record(&serde_json::from_str(avro_schema_json).ok()?)
    }

    fn from_record(record: &Value) -> Option<Self> {
        let fields: Option<Vec<Field>> = record.get("fields")?.as_array()?.iter().map(parse_field).collect();
        let fields = fields?;
        let by_name = fields.iter().enumerate().map(|(place, field)| (field.name.clone(), place)).collect();
        Some(Self { fields, by_name })
    }

    /// All fields in schema order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).and_then(|place| self.fields.get(*place))
    }
}

fn parse_field(field: &Value) -> Option<Field> {
    let avro_type = field.get("type")?;
    let branches = avro_type.as_array();
    let nullable = branches.is_some_and(|branches| branches.iter().any(|branch| branch == "null"));
    let plain = branches.map_or(Some(avro_type), |branches| branches.iter().find(|branch| *branch != "null"))?;
    Some(Field {
        id: u32::try_from(field.get("field-id")?.as_u64()?).ok()?,
        name: field.get("name")?.as_str()?.to_owned(),
        doc: field.get("doc").and_then(Value::as_str).unwrap_or_default().to_owned(),
        field_type: parse_type(plain)?,
        nullable,
    })
}

fn parse_type(avro_type: &Value) -> Option<FieldType> {
    let name = avro_type.as_str().or_else(|| avro_type.get("type").and_then(Value::as_str))?;
    match name {
        "boolean" => Some(FieldType::Bool),
        "int" | "long" => Some(FieldType::Integer),
        "string" => Some(FieldType::String),
        "array" => Some(FieldType::List(Box::new(parse_type(avro_type.get("items")?)?))),
        "map" => Some(FieldType::Map(Box::new(parse_type(avro_type.get("values")?)?))),
        "record" => Some(FieldType::Record(SchemaTree::from_record(avro_type)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ids(tree: &SchemaTree, found: &mut Vec<u32>) {
        for field in tree.fields() {
            found.push(field.id);
            let mut field_type = &field.field_type;
            while let FieldType::List(inner) | FieldType::Map(inner) = field_type {
                field_type = inner;
            }
            if let FieldType::Record(nested) = field_type {
                ids(nested, found);
            }
        }
    }

    #[test]
    fn every_field_id_is_given_once() {
        let mut all = Vec::new();
        ids(SchemaTree::current(), &mut all);
        let distinct: BTreeSet<_> = all.iter().collect();
        assert!(all.len() > 100);
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn the_kinds_are_the_nullable_records() {
        let kinds: Vec<_> = SchemaTree::current()
            .fields()
            .iter()
            .filter(|field| matches!(field.field_type, FieldType::Record(_)))
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(kinds, KIND_NAMES);
    }
}
