//! A route to Bedrock says where it runs and what it is priced as, or is refused. RT-12, RT-14 to RT-18.

use std::fs;

use crate::workspace::{RouteConfig, Workspace, write_example};

/// The example with a Bedrock provider and one route; `keys` are the route's own.
fn load(keys: &str) -> Result<Workspace, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let provider = "\n[providers.aws]\nkind = \"bedrock\"\nregion = \"eu-central-1\"\nendpoint_url = \"http://127.0.0.1:1\"\n";
    let ceiling = if keys.contains("data_class_ceiling") { "" } else { "data_class_ceiling = \"internal\"\n" };
    let route = format!("\n[routes.\"b\"]\nprovider = \"aws\"\n{ceiling}{keys}\n");
    fs::write(&main, fs::read_to_string(&main).unwrap() + provider + &route).unwrap();
    Workspace::load(folder.path()).map_err(|error| error.mistakes().iter().map(ToString::to_string).collect())
}

fn route(keys: &str) -> std::sync::Arc<RouteConfig> {
    load(keys).unwrap().routes["b"].clone()
}

fn refused(keys: &str, because: &str) {
    let found = load(keys).map(|_| ()).unwrap_err();
    assert!(found.iter().any(|mistake| mistake.contains(because)), "{keys}: {found:#?}");
}

#[test]
fn a_model_runs_where_it_is_called_and_a_profile_where_the_operator_says() {
    let plain = route("model = \"anthropic.c\"");
    assert_eq!((plain.region.as_deref(), plain.bedrock.as_ref().unwrap().whereabouts.priced_as.as_ref()), (Some("eu-central-1"), None));
    let system = route("model = \"eu.anthropic.c\"");
    assert_eq!((system.region.as_deref(), system.provider.as_str()), (None, "bedrock"));
    let arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/ab12";
    let keys = format!("model = \"{arn}\"\ninference_profile = {{ model = \"anthropic.c\", regions = [\"eu-central-1\"] }}");
    let application = route(&keys);
    let call = application.bedrock.as_ref().unwrap();
    assert_eq!(call.whereabouts.priced_as.as_ref().unwrap().as_str(), "anthropic.c");
    assert_eq!((application.model.as_str(), application.region.as_deref()), (arn, Some("eu-central-1")));
    let foundation = route("model = \"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.c\"");
    assert_eq!(foundation.bedrock.as_ref().unwrap().whereabouts.priced_as.as_ref().unwrap().as_str(), "anthropic.c");
}

#[test]
fn a_price_is_that_of_the_model_and_of_the_geography_it_may_run_in() {
    let priced = |keys: &str| {
        let known = route(keys).bedrock.as_ref().unwrap().whereabouts.clone();
        (known.priced_as.map(|model| model.to_string()), known.geography.map(|geography| geography.to_string()))
    };
    let says = |model: &str, geography: Option<&str>| (Some(model.to_owned()), geography.map(str::to_owned));
    let arn = |rest: &str| format!("model = \"arn:aws:bedrock:eu-central-1:123456789012:{rest}\"");
    // By its ARN a system profile is priced as by its id.
    assert_eq!(priced(&arn("inference-profile/eu.anthropic.c")), says("eu.anthropic.c", None));
    assert_eq!(priced("model = \"eu.anthropic.c\""), (None, None));
    for kind in ["application-inference-profile/ab12", "prompt-router/ab12"] {
        let with = |more: &str| format!("{}\ninference_profile = {{ model = \"anthropic.c\"{more} }}", arn(kind));
        assert_eq!(priced(&with(", regions = [\"eu-central-1\", \"eu-west-1\"]")), says("anthropic.c", Some("eu")));
        assert_eq!(priced(&with(", regions = [\"eu-central-1\"]")), says("anthropic.c", None));
        assert_eq!(priced(&with(", geography = \"global\"")), says("anthropic.c", Some("global")));
        assert_eq!(priced(&format!("{}\npriced_as = \"x.y\"", with(", geography = \"eu\""))), says("x.y", None));
        refused(&with(", regions = [\"us-east-1\", \"ca-central-1\"]"), "no geography holds all");
        refused(&with(", geography = \"moon\""), "use one of us, us-gov, eu");
        refused(&with(", regions = [\"eu-central-1\"], geography = \"eu\""), "make another, or none");
    }
    refused("model = \"eu.anthropic.c\"\ninference_profile.geography = \"eu\"", "whose name says it");
}

#[test]
fn the_model_that_a_router_chose_is_the_one_that_is_priced() {
    let arn = |rest: &str| format!("arn:aws:bedrock:eu-central-1:123456789012:{rest}");
    let keys = "inference_profile = { model = \"anthropic.c\", geography = \"eu\" }";
    let router = route(&format!("model = \"{}\"\n{keys}", arn("prompt-router/ab12")));
    let priced = |invoked: Option<&str>| {
        let (model, geography) = router.bedrock.as_ref().unwrap().whereabouts.priced(&router.model, invoked);
        (model.to_string(), geography.map(|geography| geography.to_string()))
    };
    let says = |model: &str, geography: Option<&str>| (model.to_owned(), geography.map(str::to_owned));
    assert_eq!(priced(None), says("anthropic.c", Some("eu")));
    assert_eq!(priced(Some(&arn("inference-profile/us.anthropic.d"))), says("us.anthropic.d", None));
    assert_eq!(priced(Some("arn:aws:bedrock:eu-west-1::foundation-model/anthropic.d")), says("anthropic.d", None));
    // A name without a place: the route's geography is all that is known of it.
    assert_eq!(priced(Some("anthropic.d")), says("anthropic.d", Some("eu")));
    assert_eq!(priced(Some("no arn: at all")), says("anthropic.c", Some("eu")));
}

/// D11: only where the provider chooses may its answer choose the price.
#[test]
fn the_word_of_a_model_that_is_no_router_changes_no_price() {
    let route = route("model = \"maker.small\"");
    let (model, geography) = route.bedrock.as_ref().unwrap().whereabouts.priced(&route.model, Some("maker.cheap"));
    assert_eq!((model.as_str(), geography), ("maker.small", None));
}

#[test]
fn a_look_up_is_only_as_the_provider_allows() {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let example = fs::read_to_string(&main).unwrap();
    let found = |keys: &str| {
        fs::write(&main, format!("{example}\n[providers.aws]\nkind = \"bedrock\"\nregion = \"eu-central-1\"\n{keys}\n")).unwrap();
        Workspace::load(folder.path()).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(found("lookup_profiles = true\ncontrol_endpoint_url = \"http://127.0.0.1:1\"\nlookup_every_s = 60"), Ok(()));
    for (keys, because) in [
        ("control_endpoint_url = \"http://127.0.0.1:1\"", "without `lookup_profiles = true`"),
        ("lookup_profiles = true\ncontrol_endpoint_url = \"http://vpce.example\"", "without TLS"),
        ("lookup_profiles = true\nlookup_every_s = 0", "from 1 to 86400"),
        ("lookup_profiles = \"yes\"", "use true or false"),
    ] {
        let mistakes = found(keys).unwrap_err();
        assert!(mistakes.contains(because), "{keys}: {mistakes}");
    }
}

#[test]
fn a_route_that_must_stay_is_refused_where_it_may_leave() {
    let allowed = "allowed_regions = [\"eu-central-1\", \"eu-west-1\"]";
    route(&format!("model = \"anthropic.c\"\n{allowed}"));
    route(&format!("model = \"eu.anthropic.c\"\n{allowed}\ninference_profile.regions = [\"eu-central-1\", \"eu-west-1\"]"));
    refused(&format!("model = \"global.anthropic.c\"\n{allowed}"), "where the profile runs is not");
    let roams = format!("model = \"eu.anthropic.c\"\n{allowed}\ninference_profile.regions = [\"eu-central-1\", \"us-east-1\"]");
    refused(&roams, "does not hold us-east-1");
    refused("model = \"anthropic.c\"\nallowed_regions = [\"us-east-1\"]", "does not hold eu-central-1");
    refused("model = \"eu.anthropic.c\"\nregion = \"eu-central-1\"", "may run elsewhere");
    refused("model = \"anthropic.c\"\nregion = \"us-east-1\"", "may run in eu-central-1");
    refused("model = \"arn:aws:bedrock:us-east-1::foundation-model/a.b\"", "is in us-east-1, and the provider calls eu-central-1");
}

#[test]
fn a_guardrail_checks_before_it_shows_where_it_must() {
    let guardrail = "model = \"a.b\"\nguardrail_id = \"gr1\"\nguardrail_version = \"1\"\n";
    assert!(!route(guardrail).bedrock.as_ref().unwrap().shows_before_it_checks());
    let later = format!("{guardrail}guardrail_stream = \"async\"\n");
    assert!(route(&later).bedrock.as_ref().unwrap().shows_before_it_checks());
    refused(&format!("{later}data_class_ceiling = \"restricted\""), "can't mask");
    refused("model = \"a.b\"\nguardrail_id = \"gr1\"", "guardrail_version");
    refused("model = \"a.b\"\nguardrail_id = \"gr1\"\nguardrail_version = \"0\"", "no guardrail version");
    refused("model = \"a.b\"\nguardrail_trace = \"enabled\"", "stands without `guardrail_id`");
}

#[test]
fn a_regulated_capability_takes_no_guardrail_that_checks_later() {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let bedrock = "\n[providers.aws]\nkind = \"bedrock\"\nregion = \"eu-central-1\"\n[routes.\"b\"]\nprovider = \"aws\"\nmodel = \"a.b\"\n\
        data_class_ceiling = \"internal\"\nguardrail_id = \"gr1\"\nguardrail_version = \"1\"\nguardrail_stream = \"async\"\n";
    fs::write(&main, fs::read_to_string(&main).unwrap() + bedrock).unwrap();
    let file = folder.path().join("capabilities/docs-summarise.toml");
    let text = fs::read_to_string(&file).unwrap();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let with_route = text.replace(&line("routes"), "routes = [\"b\"]");
    fs::write(&file, with_route.replace(&line("control_level"), "control_level = \"internal\"")).unwrap();
    Workspace::load(folder.path()).unwrap();
    fs::write(&file, with_route.replace(&line("control_level"), "control_level = \"regulated\"")).unwrap();
    let error = Workspace::load(folder.path()).unwrap_err();
    assert!(error.mistakes().iter().any(|mistake| mistake.to_string().contains("after it is shown")), "{error}");
}

#[test]
fn odd_values_are_refused_with_what_would_do() {
    for (keys, because) in [
        ("model = \"a.b\"\nservice_tier = \"gold\"", "use one of priority, default, flex, reserved"),
        ("model = \"a.b\"\nlatency = \"warp\"", "use one of standard, optimized"),
        ("model = \"a.b\"\nextra = \"[1]\"", "no JSON object"),
        ("model = \"a.b\"\ninference_profile = { model = \"x.y\" }", "no profile"),
        ("model = \"arn:aws:bedrock:eu-central-1:1:imported-model/x\"", "imported model"),
        ("model = \"arn:aws:bedrock:eu-central-1:1:prompt/x\"", "managed prompt"),
    ] {
        refused(keys, because);
    }
    let extra = route("model = \"a.b\"\nextra = '{\"top_k\": 40}'\nservice_tier = \"flex\"\npriced_as = \"x.y\"");
    let call = extra.bedrock.as_ref().unwrap();
    assert_eq!(call.additions().extra.unwrap().get(), "{\"top_k\": 40}");
    assert_eq!(call.whereabouts.priced_as.as_ref().unwrap().as_str(), "x.y");
}
