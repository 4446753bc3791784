//! What a provider says was used, as it said it.

use custody_types::Text;
use serde_json::{Map, Value, value::RawValue};

const MAX_DEPTH: usize = 3;
const MAX_NUMBERS: usize = 64;
const MAX_KEY: usize = 64;

/// A provider's usage object in the OpenAI form: the counts that are known by name, and all its numbers as JSON. Counts that are
/// missing, negative or fractional are absent here and stay visible in `json`.
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
    /// Every number of the object, by name, keys sorted; no text ever.
    pub json: Text,
}

impl RawUsage {
    /// Reads a usage object; `None` where it is not an object with at least one number.
    #[must_use]
    pub fn from_json(usage: &RawValue) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_str(usage.get()) else { return None };
        let mut room = MAX_NUMBERS;
        let numbers = numbers_only(object, MAX_DEPTH, &mut room);
        let read = |path: &[&str]| count(&numbers, path);
        let mut found = Self {
            prompt_tokens: read(&["prompt_tokens"]),
            completion_tokens: read(&["completion_tokens"]),
            total_tokens: read(&["total_tokens"]),
            cached_tokens: read(&["prompt_tokens_details", "cached_tokens"]),
            cache_write_tokens: read(&["prompt_tokens_details", "cache_write_tokens"]),
            reasoning_tokens: read(&["completion_tokens_details", "reasoning_tokens"]),
            json: Text::default(),
        };
        let empty = numbers.is_empty();
        let mut sorted = Value::Object(numbers);
        sorted.sort_all_objects();
        found.json = sorted.to_string().into();
        (!empty).then_some(found)
    }
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
