//! What stands behind a route, for the events of its attempts: what the operator states of the deployment (PAT-04), and what the
//! registry says of a customised model (PAT-03).
//!
//! ```text
//! the route's target                     `customised`    `registered_as`
//! custom model, custom deployment        true            required
//! bought capacity (provisioned)          must be stated  required where true
//! anything else                          false           required where `customised = true` is stated
//! ```

use std::collections::BTreeMap;

use custody_config::Reader;
use custody_model::bedrock::TargetKind;
use custody_types::{Feature, ModelName, Text};

use super::registry::{RegisteredModel, Registry};

/// Enough to find a deployment; an event is no inventory.
const MAX_LABELS: usize = 16;
const MAX_KEY: usize = 64;

/// Said by the registry alone, so that nothing looks registered that is not.
const OF_THE_REGISTRY: [&str; 4] = ["registered_as", "base_model", "training_data", "evaluation"];

/// Reads a route's labels and its place in the registry.
pub(super) fn read(reader: &Reader<'_>, model: Option<&ModelName>, kind: Option<TargetKind>, registry: &Registry) -> BTreeMap<Text, Text> {
    let mut serving = read_labels(reader);
    if let Some(entry) = read_entry(reader, model, kind, registry) {
        state(reader, &mut serving, "model_version", &entry.version);
        if let Some(digest) = &entry.digest {
            state(reader, &mut serving, "model_digest", digest);
        }
        let facts = [&entry.name, &entry.base_model, &entry.training_data, &entry.evaluation];
        serving.extend(OF_THE_REGISTRY.into_iter().zip(facts).map(|(key, fact)| (Text::from(key), fact.clone())));
    }
    serving
}

fn read_labels(reader: &Reader<'_>) -> BTreeMap<Text, Text> {
    let mut labels = BTreeMap::new();
    for (name, value) in reader.texts("serving", "a label") {
        let key = format!("serving.{name}");
        if OF_THE_REGISTRY.contains(&name) {
            reader.mistake(&key, "is the registry's to say", "name the model's entry with `registered_as`");
        } else if !is_key(name) {
            reader.mistake(&key, "is no name of a label", "use 1 to 64 characters of a-z 0-9 _, the first a letter");
        } else if let Err(error) = value.parse::<Feature>() {
            reader.mistake(&key, error.to_string(), "use a label");
        } else {
            labels.insert(Text::from(name), Text::from(value));
        }
    }
    if labels.len() > MAX_LABELS {
        reader.mistake("serving", format!("holds {} labels", labels.len()), format!("use at most {MAX_LABELS}"));
    }
    labels
}

fn is_key(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= MAX_KEY && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase()) && name.bytes().all(fine)
}

/// The entry of a customised model; one that must have an entry and has none is refused.
fn read_entry<'r>(
    reader: &Reader<'_>,
    model: Option<&ModelName>,
    kind: Option<TargetKind>,
    registry: &'r Registry,
) -> Option<&'r RegisteredModel> {
    let customised = reader.optional_flag("customised");
    let Some(name) = reader.optional_text("registered_as", "the name of an entry of [models]") else {
        refuse_unregistered(reader, kind, customised);
        return None;
    };
    if customised == Some(false) {
        reader.mistake("customised", "is false, beside `registered_as`", "remove one of them");
    }
    let Some(entry) = registry.get(name) else {
        let known = registry.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        reader.mistake("registered_as", format!("is `{name}`, which has no usable [models.{name}]"), format!("use one of: {known}"));
        return None;
    };
    if let Some(model) = model.filter(|model| !entry.served_as.contains(*model)) {
        let problem = format!("is `{model}`, which [models.{name}] does not name");
        reader.mistake("model", problem, "register that version, or add the name to `served_as` if it is the same version");
    }
    Some(entry)
}

fn refuse_unregistered(reader: &Reader<'_>, kind: Option<TargetKind>, customised: Option<bool>) {
    let accepted = "name its entry of [models], which says what it was trained on and how it was evaluated";
    match (kind, customised) {
        (Some(TargetKind::Custom), _) => reader.mistake("registered_as", "is missing, and the target is a customised model", accepted),
        (_, Some(true)) => reader.mistake("registered_as", "is missing, and the model is customised", accepted),
        (Some(TargetKind::Provisioned), None) => {
            let accepted = "use true, with the model's entry in `registered_as`, or false";
            reader.mistake("customised", "is missing: bought capacity does not tell what it serves", accepted);
        }
        _ => {}
    }
}

/// The registry's word stands; a route that says another has another version in mind.
fn state(reader: &Reader<'_>, serving: &mut BTreeMap<Text, Text>, key: &'static str, registered: &Text) {
    if let Some(stated) = serving.insert(Text::from(key), registered.clone()).filter(|stated| stated != registered) {
        let problem = format!("is `{stated}`, and the registered model is `{registered}`");
        reader.mistake(&format!("serving.{key}"), problem, "register that version, or remove this");
    }
}

#[cfg(test)]
mod tests;
