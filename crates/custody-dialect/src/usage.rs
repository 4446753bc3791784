//! What a provider says was used, as it said it.

use custody_types::Text;
use serde_json::{Map, Value, value::RawValue};

const MAX_DEPTH: usize = 3;
const MAX_NUMBERS: usize = 64;
const MAX_KEY: usize = 64;

/// A provider's usage object: the counts that are known by name, and all its numbers as JSON. Counts that are missing, negative or
/// fractional are absent here and stay visible in `json`. The named fields are those of the OpenAI form; a provider that speaks
/// Converse leaves them absent and fills [`RawUsage::converse`], because its arithmetic is another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawUsage {
    /// `prompt_tokens`: all input, cached input included.
    pub prompt_tokens: Option<u64>,
    /// `completion_tokens`: all output, reasoning included.
    pub completion_tokens: Option<u64>,
    /// `total_tokens`.
    pub total_tokens: Option<u64>,
    /// `prompt_tokens_details.cached_tokens`.
    pub cached_tokens: Option<u64>,
    /// `prompt_tokens_details.cache_write_tokens`.
    pub cache_write_tokens: Option<u64>,
    /// `completion_tokens_details.reasoning_tokens`.
    pub reasoning_tokens: Option<u64>,
    /// The counts of the Converse form, where the provider spoke that.
    pub converse: Option<ConverseUsage>,
    /// Every number of the object, by name, keys sorted; no text ever.
    pub json: Text,
}

/// A provider's counts in the Converse form. As documented, `input_tokens` holds only what was neither read from nor written to a
/// cache; for some model families and operations it was measured otherwise (REFERENCE 1.4), so the normaliser decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConverseUsage {
    /// `inputTokens`.
    pub input_tokens: Option<u64>,
    /// `outputTokens`.
    pub output_tokens: Option<u64>,
    /// `totalTokens`.
    pub total_tokens: Option<u64>,
    /// `cacheReadInputTokens`.
    pub cache_read_tokens: Option<u64>,
    /// `cacheWriteInputTokens`.
    pub cache_write_tokens: Option<u64>,
    /// `cacheDetails` with the lifetime `5m`.
    pub cache_write_5m_tokens: Option<u64>,
    /// `cacheDetails` with the lifetime `1h`.
    pub cache_write_1h_tokens: Option<u64>,
}

impl RawUsage {
    /// Reads a usage object; `None` where it is not an object with at least one number.
    #[must_use]
    pub fn from_json(usage: &RawValue) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_str(usage.get()) else { return None };
        let numbers = numbers_of(object);
        let read = |path: &[&str]| count(&numbers, path);
        let mut found = Self {
            prompt_tokens: read(&["prompt_tokens"]),
            completion_tokens: read(&["completion_tokens"]),
            total_tokens: read(&["total_tokens"]),
            cached_tokens: read(&["prompt_tokens_details", "cached_tokens"]),
            cache_write_tokens: read(&["prompt_tokens_details", "cache_write_tokens"]),
            reasoning_tokens: read(&["completion_tokens_details", "reasoning_tokens"]),
            converse: None,
            json: Text::default(),
        };
        found.json = sorted_json(numbers)?;
        Some(found)
    }

    /// Reads a usage object in the Converse form; `None` where it is not an object with at least one number. The list
    /// `cacheDetails` stands in `json` as an object by lifetime.
    #[must_use]
    pub fn from_converse_json(usage: &RawValue) -> Option<Self> {
        let Ok(Value::Object(mut object)) = serde_json::from_str(usage.get()) else { return None };
        if let Some(Value::Array(details)) = object.remove("cacheDetails") {
            object.insert("cacheDetails".to_owned(), Value::Object(by_lifetime(details)));
        }
        let numbers = numbers_of(object);
        let read = |path: &[&str]| count(&numbers, path);
        let converse = ConverseUsage {
            input_tokens: read(&["inputTokens"]),
            output_tokens: read(&["outputTokens"]),
            total_tokens: read(&["totalTokens"]),
            cache_read_tokens: read(&["cacheReadInputTokens"]),
            cache_write_tokens: read(&["cacheWriteInputTokens"]),
            cache_write_5m_tokens: read(&["cacheDetails", "5m"]),
            cache_write_1h_tokens: read(&["cacheDetails", "1h"]),
        };
        let json = sorted_json(numbers)?;
        Some(Self { converse: Some(converse), json, ..Self::default() })
    }
}

/// Token counts by lifetime; a lifetime that is listed twice is added up.
fn by_lifetime(details: Vec<Value>) -> Map<String, Value> {
    let mut sums = Map::new();
    for detail in details {
        let (Some(ttl), Some(tokens)) = (detail.get("ttl").and_then(Value::as_str), detail.get("inputTokens").and_then(Value::as_u64))
        else {
            continue;
        };
        let before = sums.get(ttl).and_then(Value::as_u64).unwrap_or(0);
        sums.insert(ttl.to_owned(), Value::from(before.saturating_add(tokens)));
    }
    sums
}

fn numbers_of(object: Map<String, Value>) -> Map<String, Value> {
    numbers_only(object, MAX_DEPTH, &mut { MAX_NUMBERS })
}

fn sorted_json(numbers: Map<String, Value>) -> Option<Text> {
    let empty = numbers.is_empty();
    let mut sorted = Value::Object(numbers);
    sorted.sort_all_objects();
    (!empty).then(|| sorted.to_string().into())
}

fn count(numbers: &Map<String, Value>, path: &[&str]) -> Option<u64> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(numbers, |object, key| object.get(*key)?.as_object())?;
    parent.get(*last)?.as_u64()
}

fn numbers_only(object: Map<String, Value>, depth: usize, room: &mut usize) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in object {
        if *room == 0 || !is_key(&key) {
            continue;
        }
        match value {
            Value::Number(number) => {
                *room -= 1;
                kept.insert(key, Value::Number(number));
            }
            Value::Object(inner) if depth > 1 => {
                let inner = numbers_only(inner, depth - 1, room);
                if !inner.is_empty() {
                    kept.insert(key, Value::Object(inner));
                }
            }
            _ => {}
        }
    }
    kept
}

/// A provider can't smuggle text into events through key names.
fn is_key(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
