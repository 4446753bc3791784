//! AWS's answers against what routes say. RT-12, RT-15, RT-16, GW-18.

use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{watch::spread, *};
use crate::workspace::write_example;

const APPLICATION: &str = "model = \"arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/ab12\"";
const SYSTEM: &str = "model = \"eu.maker.model\"";

/// The example with one route to a provider that may be asked; `keys` are the route's own.
fn workspace(keys: &str) -> Workspace {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let provider = "\n[providers.aws]\nkind = \"bedrock\"\nregion = \"eu-central-1\"\nlookup_profiles = true\n";
    let route = format!("\n[routes.\"b\"]\nprovider = \"aws\"\ndata_class_ceiling = \"internal\"\n{keys}\n");
    fs::write(&main, fs::read_to_string(&main).unwrap() + provider + &route).unwrap();
    Workspace::load(folder.path()).unwrap()
}

fn told(model: &str, regions: &[&str]) -> ProfileFacts {
    let arns: Vec<String> = regions.iter().map(|region| format!("arn:aws:bedrock:{region}::foundation-model/{model}")).collect();
    ProfileFacts::of_models(arns.iter().map(String::as_str)).unwrap()
}

fn settled(keys: &str, answer: Result<ProfileFacts, LookUpError>) -> Result<(Known, Arc<RouteConfig>), Vec<String>> {
    let mut workspace = workspace(keys);
    let mistakes = Mistakes::default();
    let (name, routes) = questions(&workspace).remove("aws").unwrap().pop_first().unwrap();
    let known = settle_all(&mut workspace, &name, &answer, routes, &mistakes);
    let found: Vec<String> = mistakes.into_vec().iter().map(ToString::to_string).collect();
    if found.is_empty() { Ok((known.unwrap(), workspace.routes["b"].clone())) } else { Err(found) }
}

fn refused(keys: &str, answer: Result<ProfileFacts, LookUpError>, because: &str) {
    let found = settled(keys, answer).map(drop).unwrap_err();
    assert!(found.iter().any(|mistake| mistake.contains(because)), "{keys}: {found:#?}");
}

fn priced(route: &RouteConfig) -> (Option<&str>, Option<&str>) {
    let known = &route.bedrock.as_ref().unwrap().whereabouts;
    (known.priced_as.as_ref().map(ModelName::as_str), known.geography.as_deref())
}

#[test]
fn what_aws_tells_settles_a_route_and_until_then_nobody_takes_it() {
    assert!(!workspace(APPLICATION).routes["b"].is_usable());
    let (_, route) = settled(APPLICATION, Ok(told("maker.model", &["eu-central-1"]))).unwrap();
    assert!(route.is_usable());
    assert_eq!((route.region.as_deref(), route.policy.facts().region.as_deref()), (Some("eu-central-1"), Some("eu-central-1")));
    assert_eq!(priced(&route), (Some("maker.model"), None));
    let (_, wide) = settled(APPLICATION, Ok(told("maker.model", &["eu-central-1", "eu-west-1"]))).unwrap();
    assert_eq!((wide.region.as_deref(), priced(&wide)), (None, (Some("maker.model"), Some("eu"))));
    let (_, global) = settled(APPLICATION, Ok(told("maker.model", &["eu-central-1", ""]))).unwrap();
    assert_eq!((global.region.as_deref(), priced(&global)), (None, (Some("maker.model"), Some("global"))));
    let (_, system) = settled(SYSTEM, Ok(told("maker.model", &["eu-central-1", "eu-west-1"]))).unwrap();
    assert_eq!(priced(&system), (None, None));
}

#[test]
fn nobody_is_asked_about_what_the_route_states_itself() {
    let regions = "inference_profile.regions = [\"eu-central-1\"]";
    let stated = [format!("{SYSTEM}\n{regions}"), format!("{APPLICATION}\n{regions}\ninference_profile.model = \"maker.model\"")];
    for keys in [&stated[0], &stated[1], "model = \"maker.model\""] {
        let workspace = workspace(keys);
        assert!(questions(&workspace).is_empty() && workspace.routes["b"].is_usable(), "{keys}");
    }
}

#[test]
fn routes_that_share_a_profile_are_asked_about_once() {
    let shared = format!("{APPLICATION}\n\n[routes.\"c\"]\nprovider = \"aws\"\ndata_class_ceiling = \"internal\"\n{APPLICATION}");
    let questions = questions(&workspace(&shared)).remove("aws").unwrap();
    let routes: Vec<usize> = questions.values().map(Vec::len).collect();
    assert_eq!(routes, [2]);
}

#[tokio::test]
async fn few_questions_are_under_way_at_once_and_all_are_answered() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let ask = |_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(told("maker.model", &["eu-central-1"]))
        }
    };
    let names: Vec<ModelName> = (0..100).map(|place| format!("eu.maker.model-{place}").parse().unwrap()).collect();
    let told = ask_all(names.into_iter(), ask).await;
    assert_eq!((told.len(), most.load(Ordering::SeqCst)), (100, 4));
    assert!(told.values().all(Result::is_ok));
}

#[test]
fn gateways_that_started_together_do_not_ask_again_together() {
    let hour = Duration::from_secs(3_600);
    let pauses: BTreeSet<Duration> = (0..100).map(|_| spread(hour)).collect();
    assert!(pauses.len() > 90, "{pauses:?}");
    assert!(pauses.iter().all(|pause| (hour / 10 * 9..=hour).contains(pause)), "{pauses:?}");
}

#[test]
fn what_a_route_says_must_agree_with_what_aws_says() {
    let two = || Ok(told("maker.model", &["eu-central-1", "eu-west-1"]));
    let with = |key: &str| format!("{APPLICATION}\n{key}");
    refused(&with("inference_profile.model = \"maker.other\""), two(), "is `maker.other`, and AWS says `maker.model`");
    refused(SYSTEM, Ok(told("maker.other", &["eu-central-1"])), "names `maker.model`, and AWS says that `maker.other` is behind it");
    let regions = "inference_profile.regions = [\"eu-central-1\"]";
    refused(&with(regions), two(), "are eu-central-1, and AWS says eu-central-1, eu-west-1");
    refused(&with(regions), Ok(told("maker.model", &["eu-central-1", ""])), "and AWS says any Region");
    refused(&with("region = \"eu-central-1\""), two(), "and the model may run in eu-central-1, eu-west-1");
    refused(&with("allowed_regions = [\"eu-central-1\"]"), two(), "does not hold eu-west-1");
    refused(&with("allowed_regions = [\"eu-central-1\"]"), Ok(told("maker.model", &["eu-central-1", ""])), "where the profile runs is not");
    refused(&with("inference_profile.geography = \"us\""), two(), "make another");
    refused(APPLICATION, Ok(told("maker.model", &["us-east-1", "ca-central-1"])), "no geography holds all");
    refused(APPLICATION, Err(LookUpError::Denied), "bedrock:GetInferenceProfile");
    settled(&with("inference_profile.geography = \"us\""), Ok(told("maker.model", &["us-east-1", "ca-central-1"]))).unwrap();
}

#[test]
fn a_profile_that_changed_takes_its_route_out_of_use_where_it_breaks_it() {
    let keys = format!("{SYSTEM}\nallowed_regions = [\"eu-central-1\", \"eu-west-1\", \"eu-west-3\"]");
    let first = told("maker.model", &["eu-central-1", "eu-west-1"]);
    let (mut known, route) = settled(&keys, Ok(first.clone())).unwrap();
    assert!(known.hear(&Ok(first.clone())).is_empty());
    assert!(known.hear(&Err(LookUpError::TimedOut)).is_empty() && route.is_usable());
    let changes = known.hear(&Ok(told("maker.model", &["eu-central-1", "eu-west-1", "eu-west-3"])));
    assert!(changes.len() == 1 && route.is_usable());
    for broken in [told("maker.model", &["eu-central-1", "eu-north-1"]), told("maker.other", &["eu-central-1", "eu-west-1"])] {
        assert_eq!(known.hear(&Ok(broken)).len(), 1);
        assert!(!route.is_usable());
    }
    // An answer that is missing mends nothing.
    assert!(known.hear(&Err(LookUpError::TimedOut)).is_empty() && !route.is_usable());
    assert_eq!(known.hear(&Ok(first)).len(), 1);
    assert!(route.is_usable());
}

#[test]
fn a_region_that_policies_were_told_is_kept_or_the_route_rests() {
    let (mut known, route) = settled(APPLICATION, Ok(told("maker.model", &["eu-central-1"]))).unwrap();
    known.hear(&Ok(told("maker.model", &["eu-central-1", "eu-west-1"])));
    assert!(!route.is_usable());
}
