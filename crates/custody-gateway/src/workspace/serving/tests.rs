//! A customised model is used only as a registered version (PAT-03), and events tell what stands behind a route (PAT-04).

use std::{collections::BTreeMap, fs};

use crate::workspace::{Workspace, write_example};

const ARN: &str = "arn:aws:bedrock:eu-central-1:123456789012:";

const TUNED: &str = "[models.\"support-tuned\"]\nbase_model = \"meta.llama3\"\nversion = \"3\"\ntraining_data = \"s3://sets/support@v7\"\n\
    evaluation = \"passed:0.93\"\napproved_by = \"model-board\"\napproved_on = 2026-05-31\n\
    served_as = [\"support-tuned\", \"arn:aws:bedrock:eu-central-1:123456789012:custom-model-deployment/ab12\", \
    \"arn:aws:bedrock:eu-central-1:123456789012:provisioned-model/cd34\"]\n";

/// The example with a registry and one more route.
fn load(registry: &str, route: &str) -> Result<BTreeMap<String, String>, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let provider = "[providers.aws]\nkind = \"bedrock\"\nregion = \"eu-central-1\"\nendpoint_url = \"http://127.0.0.1:1\"\n";
    let route = format!("[routes.\"r\"]\ndata_class_ceiling = \"internal\"\n{route}\n");
    fs::write(&main, format!("{}\n{provider}{registry}{route}", fs::read_to_string(&main).unwrap())).unwrap();
    let workspace = Workspace::load(folder.path()).map_err(|error| error.mistakes().iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(workspace.routes["r"].serving.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
}

fn refused(registry: &str, route: &str, because: &str) {
    let found = load(registry, route).unwrap_err();
    assert!(found.iter().any(|mistake| mistake.contains(because)), "{route}: {found:#?}");
}

fn local(keys: &str) -> String {
    format!("provider = \"local\"\nmodel = \"support-tuned\"\n{keys}")
}

fn bedrock(target: &str, keys: &str) -> String {
    format!("provider = \"aws\"\nmodel = \"{ARN}{target}\"\npriced_as = \"x.y\"\n{keys}")
}

// PAT-04.
#[test]
fn the_operators_labels_stand_as_written() {
    let labels = "serving = { cluster = \"eu-1\", namespace = \"models\", workload = \"deployment/vllm\", model_digest = \"sha256:1f0c\", \
        model_version = \"7\", gpu = \"H100-80GB\", rack_2 = \"b\" }";
    let serving = load("", &local(labels)).unwrap();
    assert_eq!((serving.len(), serving["cluster"].as_str(), serving["model_digest"].as_str()), (7, "eu-1", "sha256:1f0c"));
    assert!(load("", &local("")).unwrap().is_empty());
}

#[test]
fn labels_are_bounded_and_never_look_registered() {
    let many: String = (0..17).map(|place| format!("k{place} = \"v\", ")).collect();
    for (labels, because) in [
        (many.as_str(), "holds 17 labels"),
        ("Cluster = \"x\"", "no name of a label"),
        ("\"\" = \"x\"", "no name of a label"),
        ("gpu = \"two words\"", "routes.r.serving.gpu"),
        ("gpu = 8", "is no text"),
        ("evaluation = \"passed\"", "the registry's to say"),
        ("training_data = \"set\"", "the registry's to say"),
        ("registered_as = \"x\"", "the registry's to say"),
    ] {
        refused("", &local(&format!("serving = {{ {labels} }}")), because);
    }
}

// PAT-03: a route refuses an unregistered version.
#[test]
fn a_customised_model_needs_its_entry() {
    let registered = "registered_as = \"support-tuned\"";
    for route in [
        local(registered),
        local(&format!("customised = true\n{registered}")),
        bedrock("custom-model-deployment/ab12", registered),
        bedrock("provisioned-model/cd34", registered),
    ] {
        let serving = load(TUNED, &route).unwrap();
        let fact = |key: &str| serving.get(key).map(String::as_str);
        assert_eq!((fact("registered_as"), fact("model_version")), (Some("support-tuned"), Some("3")), "{route}");
        assert_eq!((fact("training_data"), fact("evaluation")), (Some("s3://sets/support@v7"), Some("passed:0.93")));
        assert_eq!((fact("base_model"), serving.len()), (Some("meta.llama3"), 5));
    }
    refused(TUNED, &local("customised = true"), "registered_as`: is missing");
    refused(TUNED, &bedrock("custom-model/ef56", ""), "registered_as`: is missing");
    refused(TUNED, &bedrock("custom-model/ef56", "customised = false"), "registered_as`: is missing");
    refused(TUNED, &bedrock("custom-model/ef56", registered), "which [models.support-tuned] does not name");
    refused(TUNED, &bedrock("provisioned-model/cd34", ""), "bought capacity does not tell");
    refused(TUNED, &bedrock("provisioned-model/zz99", registered), "which [models.support-tuned] does not name");
    refused(TUNED, &local("registered_as = \"support-tuned-4\""), "no usable [models.support-tuned-4]");
    refused(TUNED, &local(&format!("customised = false\n{registered}")), "beside `registered_as`");
    refused(TUNED, &local(&format!("{registered}\nserving = {{ model_version = \"4\" }}")), "the registered model is `3`");
    load(TUNED, &local(&format!("{registered}\nserving = {{ model_version = \"3\" }}"))).unwrap();
    load("", &bedrock("provisioned-model/cd34", "customised = false")).unwrap();
}

#[test]
fn a_digest_in_the_registry_holds_for_its_routes() {
    let registry = format!("{TUNED}digest = \"sha256:1f0c\"\n");
    let route = |digest: &str| local(&format!("registered_as = \"support-tuned\"\nserving = {{ model_digest = \"{digest}\" }}"));
    assert_eq!(load(&registry, &route("sha256:1f0c")).unwrap()["model_digest"], "sha256:1f0c");
    refused(&registry, &route("sha256:ffff"), "the registered model is `sha256:1f0c`");
}

// PAT-03: a registry entry requires data-set reference, version and evaluation result.
#[test]
fn half_an_entry_is_none() {
    for key in ["base_model", "version", "training_data", "evaluation", "approved_by", "approved_on", "served_as"] {
        let line = TUNED.lines().find(|line| line.starts_with(key)).unwrap();
        let registry = TUNED.replace(&format!("{line}\n"), "");
        refused(&registry, &local("registered_as = \"support-tuned\""), &format!("models.support-tuned.{key}"));
        refused(&registry, &local("registered_as = \"support-tuned\""), "no usable [models.support-tuned]");
        refused(&registry, &local(""), key);
    }
    for (old, new, because) in [
        ("approved_on = 2026-05-31", "approved_on = \"2026-05-31\"", "without quotes"),
        ("approved_on = 2026-05-31", "approved_on = 2026-05-31T10:00:00Z", "without quotes"),
        ("evaluation = \"passed:0.93\"", "evaluation = \"\"", "evaluation`: is empty"),
        ("evaluation = \"passed:0.93\"", "evaluation = \"it did well\"", "not a valid"),
        ("version = \"3\"", "version = \"3\"\nowner = \"x\"", "not a known key"),
    ] {
        refused(&TUNED.replace(old, new), &local(""), because);
    }
}
