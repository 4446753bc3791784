//! The example workspace decides as its readme says.

use super::*;

const ALL: [&str; 3] = ["support.answer", "docs.summarise", "ticket.classify"];

fn example() -> PolicySet {
    PolicySet::load(SCHEMA, &[CAPABILITIES, ROUTES]).unwrap_or_else(|error| panic!("{error}"))
}

fn allowed(principal: &Principal) -> Vec<String> {
    let capabilities = ALL.map(capability);
    let set = example();
    let allowed = set.capabilities_allowed(principal, &capabilities, InvokeContext { environment: &production() });
    allowed.into_iter().map(|capability| capability.facts().name.to_string()).collect()
}

// PATH-03
#[test]
fn each_tenant_uses_what_it_may() {
    assert_eq!(allowed(&service("acme")), ALL);
    assert_eq!(allowed(&service("globex")), ["support.answer", "docs.summarise"]);
    assert!(allowed(&service("initech")).is_empty());
    assert!(allowed(&principal("acme", PrincipalKind::User, &[])).is_empty());
}

#[test]
fn load_tests_summarise_for_any_tenant_and_nothing_a_program_acts_on() {
    let replay = |tenant| principal(tenant, PrincipalKind::Service, &["replay"]);
    assert_eq!(allowed(&replay("m-small-client-27")), ["docs.summarise"]);
    assert_eq!(allowed(&replay("acme")), ["support.answer", "docs.summarise"]);
    let decision = invoke(&example(), &replay("acme"), &capability("ticket.classify"));
    assert_eq!(ids(&decision), ["replay.no_machine_action"]);
}

//
#[test]
fn who_may_invoke_a_capability_can_be_listed() {
    let candidates = [service("acme"), service("globex"), service("initech")];
    let set = example();
    let who = |name| set.principals_allowed(&capability(name), &candidates, InvokeContext { environment: &production() }).len();
    assert_eq!((who("docs.summarise"), who("ticket.classify")), (2, 1));
}

// PATH-09, PRN-13
#[test]
fn routes_follow_data_class_and_control_level() {
    let set = example();
    let (simulator, upstream) = ("simulator", "openai_compatible");
    let on = |provider: &str, region: Option<&str>, class, level, groups: &[&str]| {
        let capability = Capability::new(CapabilityFacts { control_level: level, ..capability_facts("docs.summarise") }).unwrap();
        let route = route(provider, DataClass::Restricted, region, TenantScope::All);
        let decision = take(&set, &principal("acme", PrincipalKind::Service, groups), &route, class, &capability);
        decision.policy_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(on(simulator, None, DataClass::Restricted, ControlLevel::Internal, &[]), "route.simulator");
    assert_eq!(on(upstream, None, DataClass::Internal, ControlLevel::Customer, &[]), "route.upstream");
    assert_eq!(on(upstream, None, DataClass::Confidential, ControlLevel::Customer, &[]), "");
    assert_eq!(on(upstream, None, DataClass::Public, ControlLevel::Regulated, &[]), "route.regulated_needs_region");
    assert_eq!(on(upstream, Some("eu-central-1"), DataClass::Public, ControlLevel::Regulated, &[]), "route.upstream");
    assert_eq!(on(upstream, None, DataClass::Public, ControlLevel::Internal, &["replay"]), "route.replay_on_simulator_only");
}
