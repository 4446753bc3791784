//! Arrows between crates point down, and each heavy dependency has one owner.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

/// Layer of each crate; a crate may use only crates of a lower layer. Services stand side by side and never import each other.
const LAYERS: [(&str, u8); 19] = [
    ("custody-types", 0),
    ("custody-config", 0),
    ("custody-event", 1),
    ("custody-policy", 2),
    ("custody-price", 2),
    ("custody-redact", 2),
    ("custody-seal", 2),
    ("custody-dialect", 2),
    ("custody-log", 3),
    ("custody-lake", 3),
    ("custody-model", 3),
    ("custody-vault", 3),
    ("custody-gateway", 4),
    ("custody-ingest", 4),
    ("custody-query", 4),
    ("custody-keeper", 4),
    ("custody", 5),
    ("custody-testkit", 6),
    ("custody-bench", 6),
];

/// The one crate that may name a heavy dependency; a program for developers may read its arguments like the one for users.
const OWNERS: [(&str, &str); 29] = [
    ("aws-config", "custody-model"),
    ("aws-config", "custody-vault"),
    ("aws-sdk-kms", "custody-vault"),
    ("object_store", "custody-vault"),
    ("aws-sdk-bedrock", "custody-model"),
    ("aws-sdk-bedrockruntime", "custody-model"),
    ("aws-smithy-http-client", "custody-model"),
    ("aws-smithy-eventstream", "custody-dialect"),
    ("serde_avro_fast", "custody-event"),
    ("cedar-policy", "custody-policy"),
    ("aho-corasick", "custody-redact"),
    ("regex-automata", "custody-redact"),
    ("aes-gcm", "custody-seal"),
    ("aes-gcm", "custody-bench"),
    ("argon2", "custody-seal"),
    ("hkdf", "custody-seal"),
    ("hpke", "custody-seal"),
    ("arrow-avro", "custody-lake"),
    ("rdkafka", "custody-log"),
    ("aws-msk-iam-sasl-signer", "custody-log"),
    ("deltalake", "custody-lake"),
    ("datafusion", "custody-query"),
    ("jsonschema", "custody-gateway"),
    ("prometheus", "custody-gateway"),
    ("hyper-rustls", "custody-model"),
    ("tokio-rustls", "custody-gateway"),
    ("clap", "custody"),
    ("clap", "custody-bench"),
    ("rustyline", "custody"),
];

pub fn findings() -> Result<Vec<String>> {
    let dependencies = normal_dependencies()?;
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    let mut findings = Vec::new();
    for (package, used) in &dependencies {
        let Some(layer) = layers.get(package.as_str()) else { continue };
        for other in used {
            if layers.get(other.as_str()).is_some_and(|below| below >= layer) {
                findings.push(format!("layers: {package} uses {other}, which is not below it"));
            }
            let owners: Vec<&str> = OWNERS.iter().filter(|(name, _)| name == other).map(|(_, owner)| *owner).collect();
            if !owners.is_empty() && !owners.contains(&package.as_str()) {
                findings.push(format!("layers: {package} names {other}, which belongs to {}", owners.join(" and ")));
            }
        }
    }
    let unknown = dependencies.keys().filter(|name| name.starts_with("custody") && !layers.contains_key(name.as_str()));
    findings.extend(unknown.filter(|name| *name != "custody-tests").map(|name| format!("layers: {name} has no layer yet")));
    Ok(findings)
}

/// Each package's dependencies that ship with it (not those of tests or build scripts).
fn normal_dependencies() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let output = std::process::Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(run::root())
        .output()
        .context("`cargo metadata` could not be started")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("no packages")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let used = |package: &Value| -> BTreeSet<String> {
        let all = package.get("dependencies").and_then(Value::as_array).cloned().unwrap_or_default();
        all.iter().filter(|one| one.get("kind").is_none_or(Value::is_null)).map(|one| text(one, "name")).collect()
    };
    Ok(packages.iter().map(|package| (text(package, "name"), used(package))).collect())
}
