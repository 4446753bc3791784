//! `[models."name"]` in `custody.toml`: customised models that may be used, each one version with what it was made of and how it
//! did (PAT-03). What is not registered as a whole is not registered.

use std::collections::{BTreeMap, BTreeSet};

use custody_config::Reader;
use custody_types::{Feature, ModelName, Text};

/// One version of a customised model.
#[derive(Debug, Clone)]
pub(super) struct RegisteredModel {
    /// Its name in the registry.
    pub(super) name: Text,
    /// Its version.
    pub(super) version: Text,
    /// The model that it was made of.
    pub(super) base_model: Text,
    /// What providers call this version; a route to another name is not a route to it.
    pub(super) served_as: BTreeSet<ModelName>,
    /// The digest of its weights, where there is one.
    pub(super) digest: Option<Text>,
    /// Which data it was trained on.
    pub(super) training_data: Text,
    /// How it did.
    pub(super) evaluation: Text,
}

/// The registry, by name.
pub(super) type Registry = BTreeMap<String, RegisteredModel>;

pub(super) fn read(root: &Reader<'_>) -> Registry {
    let sections = root.named_sections("models").into_iter();
    sections.filter_map(|(name, reader)| Some((name.to_owned(), read_model(name, reader)?))).collect()
}

fn read_model(name: &str, reader: Reader<'_>) -> Option<RegisteredModel> {
    let parsed_name: Option<ModelName> =
        name.parse().map_err(|error: custody_types::InvalidLabelError| reader.mistake("", error.to_string(), "use a label")).ok();
    let label = |key, meaning: &str| reader.parsed::<Feature>(key, meaning).map(|label| label.text());
    let version = label("version", "a label such as 3, or 2026-05-31");
    let base_model = label("base_model", "the model that it was made of, a label");
    let training_data = label("training_data", "a reference to the data it was trained on, such as s3://bucket/set@v7");
    let evaluation = label("evaluation", "a reference to its evaluation, or the result, such as passed:0.93");
    let digest = reader.optional_parsed::<Feature>("digest", "a label such as sha256:1f0c").map(|digest| digest.text());
    let served_as: BTreeSet<ModelName> = reader.list("served_as", "names that providers give this version").into_iter().collect();
    if served_as.is_empty() {
        reader.mistake("served_as", "names nothing", "list what routes write as `model` for this version");
    }
    // Who and when stands here for whoever reads the file; its hash is in every event.
    let approved_by = reader.text("approved_by", "the person or team that approved this version");
    let approved_on = reader.date("approved_on", "the day of the approval");
    reader.finish();
    if served_as.is_empty() || approved_by.is_none() || approved_on.is_none() {
        return None;
    }
    Some(RegisteredModel {
        name: parsed_name?.text(),
        version: version?,
        base_model: base_model?,
        served_as,
        digest,
        training_data: training_data?,
        evaluation: evaluation?,
    })
}
