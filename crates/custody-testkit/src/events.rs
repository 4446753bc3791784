//! Arbitrary events of every kind, made from the Avro schema itself, so that a field that is added is tested from that day on.

use custody_event::{EVENT_SCHEMA_JSON, Event};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    strategy::{Union, ValueTree},
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::{Map, Value};

/// The times that events may have: the years 1970 to 9999.
const TIMES: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999_999;

const MAX_TEXT: usize = 12;
const MAX_ITEMS: usize = 4;

/// Any event of any kind: texts of any characters, numbers over their whole range, nulls, empty and full collections.
pub fn any_event() -> impl Strategy<Value = Event> {
    let schema: Value = serde_json::from_str(EVENT_SCHEMA_JSON).unwrap_or_default();
    let (kinds, envelope): (Vec<Value>, Vec<Value>) = fields(&schema).into_iter().partition(is_kind);
    let kinds = kinds.into_iter().map(|kind| record(&[not_null(kind)]).boxed());
    let event = (record(&envelope), TIMES, Union::new(kinds)).prop_map(|(mut event, time, kind)| {
        event.insert("time".to_owned(), Value::from(time));
        event.extend(kind);
        Value::Object(event)
    });
    event.prop_filter_map("an event that the schema allows", |event| serde_json::from_value(event).ok())
}

/// So many events, the same for the same seed.
#[must_use]
pub fn sample_events(seed: u64, count: usize) -> Vec<Event> {
    let rng = TestRng::from_seed(Config::default().rng_algorithm, &seed_bytes(seed));
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = any_event();
    (0..count).filter_map(|_| strategy.new_tree(&mut runner).ok()).map(|tree| tree.current()).collect()
}

fn seed_bytes(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, seed) in bytes.iter_mut().zip(seed.to_le_bytes().into_iter().cycle()) {
        *byte = seed;
    }
    bytes
}

fn fields(record: &Value) -> Vec<Value> {
    record.get("fields").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn is_kind(field: &Value) -> bool {
    not_null(field.clone()).pointer("/type/type").is_some_and(|name| name == "record")
}

fn not_null(mut field: Value) -> Value {
    let branches = field.get("type").and_then(Value::as_array).cloned().unwrap_or_default();
    if let (Some(plain), Some(members)) = (branches.into_iter().find(|branch| branch != "null"), field.as_object_mut()) {
        members.insert("type".to_owned(), plain);
    }
    field
}

fn record(fields: &[Value]) -> impl Strategy<Value = Map<String, Value>> + use<> {
    let names: Vec<String> = fields.iter().filter_map(|field| field.get("name")?.as_str().map(str::to_owned)).collect();
    let values: Vec<_> = fields.iter().map(|field| value(field.get("type").unwrap_or(&Value::Null))).collect();
    values.prop_map(move |values| names.iter().cloned().zip(values).collect())
}

fn value(avro: &Value) -> BoxedStrategy<Value> {
    if let Some(branches) = avro.as_array() {
        return Union::new(branches.iter().map(value)).boxed();
    }
    let name = avro.as_str().or_else(|| avro.get("type").and_then(Value::as_str)).unwrap_or_default();
    match name {
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "int" => any::<i32>().prop_map(Value::from).boxed(),
        "long" => any::<i64>().prop_map(Value::from).boxed(),
        "string" => text().prop_map(Value::from).boxed(),
        "array" => vec(part(avro, "items"), 0..MAX_ITEMS).prop_map(Value::from).boxed(),
        "map" => btree_map(text(), part(avro, "values"), 0..MAX_ITEMS).prop_map(|map| Value::Object(map.into_iter().collect())).boxed(),
        "record" => record(&fields(avro)).prop_map(Value::Object).boxed(),
        _ => Just(Value::Null).boxed(),
    }
}

fn part(avro: &Value, name: &str) -> BoxedStrategy<Value> {
    value(avro.get(name).unwrap_or(&Value::Null))
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..MAX_TEXT).prop_map(String::from_iter)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_comes_up() {
        let kinds: BTreeSet<_> = sample_events(1, 400).iter().map(|event| event.kind.name()).collect();
        assert_eq!(kinds, BTreeSet::from(custody_event::KIND_NAMES));
        assert_eq!(sample_events(7, 20), sample_events(7, 20));
    }
}
