//! No build seals nothing by accident: the feature `unsealed`, the control of the leak scan, is enabled by no default and by no dependency.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

const FEATURE: &str = "unsealed";

pub fn findings() -> Result<Vec<String>> {
    let output = std::process::Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(run::root())
        .output()
        .context("`cargo metadata` could not be started")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("no packages")?;
    Ok(packages.iter().flat_map(of_package).collect())
}

fn of_package(package: &Value) -> Vec<String> {
    let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut findings = Vec::new();
    for (feature, enables) in package.get("features").and_then(Value::as_object).into_iter().flatten() {
        if feature != FEATURE && names_it(enables) {
            findings
                .push(format!("unsealed: the feature {feature} of {name} enables {FEATURE}, which only a control build asks for by name"));
        }
    }
    for dependency in package.get("dependencies").and_then(Value::as_array).into_iter().flatten() {
        if dependency.get("features").is_some_and(names_it) {
            let other = dependency.get("name").and_then(Value::as_str).unwrap_or_default();
            findings.push(format!("unsealed: {name} uses {other} with {FEATURE}, which only a control build asks for by name"));
        }
    }
    findings
}

fn names_it(features: &Value) -> bool {
    let mut names = features.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.any(|name| name.rsplit('/').next() == Some(FEATURE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_feature_itself_may_name_it() {
        let fine = json!({ "name": "custody", "features": { "unsealed": ["custody-seal/unsealed"] }, "dependencies": [{ "name": "a", "features": ["b"] }] });
        assert_eq!(of_package(&fine), Vec::<String>::new());
        let by_default = json!({ "name": "custody", "features": { "default": ["unsealed"], "unsealed": [] } });
        assert_eq!(of_package(&by_default).len(), 1);
        let by_use = json!({ "name": "custody", "dependencies": [{ "name": "custody-seal", "features": ["unsealed"] }] });
        assert_eq!(of_package(&by_use).len(), 1);
    }
}
