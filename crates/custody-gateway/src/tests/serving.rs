//! What is told of the model behind a route, and what the model's provider is told of a call.

use custody_event::{Event, Kind, Route};

use super::harness::Harness;

const DOCS: &str = "capabilities/docs-summarise.toml";
const MAIN: &str = "custody.toml";
const KIND: &str = "kind = \"openai_compatible\"";
const MODEL: &str = "model = \"local-model\"";

fn routes(events: &[Event]) -> Vec<&Route> {
    events.iter().filter_map(|event| if let Kind::Route(route) = &event.kind { Some(route) } else { None }).collect()
}

// PAT-03, PAT-04: the route event of each attempt says what stood behind its route.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_says_what_stood_behind_its_route() {
    let registry = "[models.tuned]\nbase_model = \"llama\"\nversion = \"3\"\ntraining_data = \"s3://sets/docs@v7\"\nevaluation = \"passed:0.93\"\n\
        approved_by = \"model-board\"\napproved_on = 2026-05-31\nserved_as = [\"local-model\"]\n[routes.\"sim.small\"]";
    let serving = format!(
        "{MODEL}\nregistered_as = \"tuned\"\nserving = {{ cluster = \"eu-1\", namespace = \"models\", model_digest = \"sha256:1f0c\" }}"
    );
    let harness = Harness::with(&[(MAIN, MODEL, &serving), (MAIN, "[routes.\"sim.small\"]", registry)]).await;
    harness.chat("docs.summarise", "simulate: status=503").await;
    let events = harness.events_after(1).await;
    let routes = routes(&events);
    let chosen: Vec<_> = routes.iter().map(|route| (route.chosen.as_deref(), route.serving.len())).collect();
    assert_eq!(chosen, [(Some("sim.small"), 0), (Some("sim.small"), 0), (Some("local.model"), 8)]);
    let fact = |key: &str| routes[2].serving.get(key).map(|fact| &**fact);
    assert_eq!((fact("cluster"), fact("namespace"), fact("model_digest")), (Some("eu-1"), Some("models"), Some("sha256:1f0c")));
    assert_eq!((fact("registered_as"), fact("model_version"), fact("base_model")), (Some("tuned"), Some("3"), Some("llama")));
    assert_eq!((fact("training_data"), fact("evaluation")), (Some("s3://sets/docs@v7"), Some("passed:0.93")));
    harness.stop().await;
}

// PATH-11, LOG-36: labels go to whom the operator says, with the tenant's pseudonym and never its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_told_whom_a_call_is_for_only_where_the_operator_says() {
    for asked in [true, false] {
        let kind = format!("{KIND}\nlabels = {asked}");
        let harness =
            Harness::with(&[(MAIN, KIND, &kind), (DOCS, "routes = [\"sim.small\", \"local.model\"]", "routes = [\"local.model\"]")]).await;
        let mut pseudonyms = Vec::new();
        for key in [&harness.acme, &harness.globex, &harness.acme] {
            let seen = harness.send(key, &[], &super::harness::body("docs.summarise", "hello", "")).await;
            assert_eq!(seen.status, 200, "{}", seen.body);
            let call = harness.model.last.lock().unwrap().take().unwrap();
            assert_eq!(call.labels.is_some(), asked);
            let Some(labels) = call.labels else { continue };
            assert_eq!((&*labels.feature, &*labels.workflow, &*labels.capability), ("documents", "summarise", "docs.summarise"));
            assert_eq!(labels.tenant.len(), 64);
            pseudonyms.push(labels.tenant);
        }
        if asked {
            assert!(pseudonyms[0] == pseudonyms[2] && pseudonyms[0] != pseudonyms[1]);
        }
        harness.stop().await;
    }
}
