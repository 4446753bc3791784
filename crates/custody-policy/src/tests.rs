use std::collections::BTreeSet;

use custody_types::{ControlLevel, DataClass, Environment, Handling};

use super::*;

mod algebra;
mod example;
mod loading;
mod reveal;
mod speed;

const SCHEMA: SourceFile<'static> =
    SourceFile { name: "policies/schema.cedarschema", text: include_str!("../../../examples/workspace/policies/schema.cedarschema") };
const CAPABILITIES: SourceFile<'static> =
    SourceFile { name: "policies/capabilities.cedar", text: include_str!("../../../examples/workspace/policies/capabilities.cedar") };
const ROUTES: SourceFile<'static> =
    SourceFile { name: "policies/routes.cedar", text: include_str!("../../../examples/workspace/policies/routes.cedar") };

const REVEALS: SourceFile<'static> =
    SourceFile { name: "policies/reveals.cedar", text: include_str!("../../../examples/workspace/policies/reveals.cedar") };

fn load(text: &str) -> PolicySet {
    PolicySet::load(SCHEMA, &[SourceFile { name: "test.cedar", text }]).unwrap_or_else(|error| panic!("{error}"))
}

fn mistakes(text: &str) -> Vec<PolicyMistake> {
    let error = PolicySet::load(SCHEMA, &[SourceFile { name: "test.cedar", text }]).expect_err("mistakes");
    error.mistakes().to_vec()
}

fn principal(tenant: &str, kind: PrincipalKind, groups: &[&str]) -> Principal {
    let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
    let facts = PrincipalFacts { tenant: tenant.parse().unwrap(), principal: "app".parse().unwrap(), kind, groups };
    Principal::new(&facts).unwrap()
}

fn service(tenant: &str) -> Principal {
    principal(tenant, PrincipalKind::Service, &[])
}

fn only(tenants: &[&str]) -> TenantScope {
    TenantScope::Only(tenants.iter().map(|tenant| tenant.parse().unwrap()).collect::<BTreeSet<_>>())
}

fn capability_facts(name: &str) -> CapabilityFacts {
    CapabilityFacts {
        name: name.parse().unwrap(),
        owner: "support-platform".to_owned(),
        control_level: ControlLevel::Internal,
        data_class: DataClass::Internal,
        handling: if name == "ticket.classify" { Handling::MachineAction } else { Handling::Display },
        feature: Some("helpdesk".parse().unwrap()),
        workflow: Some("tickets".parse().unwrap()),
        tenants: TenantScope::All,
    }
}

fn capability(name: &str) -> Capability {
    Capability::new(capability_facts(name)).unwrap()
}

fn route(provider: &str, ceiling: DataClass, region: Option<&str>, tenants: TenantScope) -> Route {
    Route::new(RouteFacts {
        name: "some-route".parse().unwrap(),
        provider: provider.to_owned(),
        model: "some-model".parse().unwrap(),
        region: region.map(str::to_owned),
        data_class_ceiling: ceiling,
        tenants,
    })
    .unwrap()
}

fn production() -> Environment {
    "production".parse().unwrap()
}

fn invoke(set: &PolicySet, principal: &Principal, capability: &Capability) -> Decision {
    set.may_invoke(principal, capability, InvokeContext { environment: &production() })
}

fn take(set: &PolicySet, principal: &Principal, route: &Route, data_class: DataClass, capability: &Capability) -> Decision {
    set.may_use_route(principal, route, RouteContext { environment: &production(), capability, data_class })
}

fn ids(decision: &Decision) -> Vec<&str> {
    decision.policy_ids.iter().map(|id| &**id).collect()
}

const PERMIT_ALL: &str = "@id(\"all\") permit (principal, action, resource);";

// PRN-02
#[test]
fn without_policies_everything_is_denied() {
    let set = PolicySet::load(SCHEMA, &[]).unwrap();
    let decision = invoke(&set, &service("acme"), &capability("docs.summarise"));
    assert_eq!((decision.allowed, decision.denial, ids(&decision)), (false, Some(DenialReason::NotPermitted), vec![]));
    let route = route("simulator", DataClass::Restricted, None, TenantScope::All);
    let decision = take(&set, &service("acme"), &route, DataClass::Public, &capability("docs.summarise"));
    assert_eq!(decision.denial, Some(DenialReason::NotPermitted));
}

#[test]
fn an_allowed_request_names_the_policies_that_permit_it() {
    let set = load(&format!("{PERMIT_ALL} @id(\"again\") permit (principal, action, resource);"));
    let decision = invoke(&set, &service("acme"), &capability("docs.summarise"));
    assert_eq!((decision.allowed, decision.denial, ids(&decision)), (true, None, vec!["again", "all"]));
    assert_eq!(decision.as_str(), "allow");
}

#[test]
fn a_forbid_beats_every_permit_and_is_named() {
    let set =
        load(&format!("{PERMIT_ALL} @id(\"no\") forbid (principal, action, resource) when {{ context.environment == \"production\" }};"));
    let decision = invoke(&set, &service("acme"), &capability("docs.summarise"));
    assert_eq!((decision.allowed, decision.denial, ids(&decision)), (false, Some(DenialReason::Forbidden), vec!["no"]));
    let lab: Environment = "lab".parse().unwrap();
    assert!(set.may_invoke(&service("acme"), &capability("docs.summarise"), InvokeContext { environment: &lab }).allowed);
}

/// Validation cannot see an overflow; the engine would skip the policy, and a forbid would vanish.
#[test]
fn a_policy_that_cannot_be_evaluated_denies_whether_it_forbids_or_permits() {
    let capability = capability("docs.summarise");
    for effect in ["forbid", "permit"] {
        let broken = format!(
            "@id(\"broken\") {effect} (principal, action == Action::\"UseRoute\", resource) when {{ context.dataClass + 9223372036854775807 == 0 }};"
        );
        let set = load(&format!("{PERMIT_ALL} {broken}"));
        let route = route("simulator", DataClass::Restricted, None, TenantScope::All);
        assert!(take(&set, &service("acme"), &route, DataClass::Public, &capability).allowed, "no overflow, no error");
        let decision = take(&set, &service("acme"), &route, DataClass::Internal, &capability);
        assert_eq!((decision.allowed, decision.denial), (false, Some(DenialReason::EvaluationError)));
        assert_eq!((ids(&decision), decision.errors.to_vec()), (vec!["broken"], vec!["broken".into()]));
        assert_eq!(decision.denial.unwrap().as_str(), "evaluation_error");
    }
}

// PATH-02
#[test]
fn nobody_reaches_what_does_not_exist_for_their_tenant() {
    let set = load(PERMIT_ALL);
    let mine = Capability::new(CapabilityFacts { tenants: only(&["acme"]), ..capability_facts("docs.summarise") }).unwrap();
    let nobodys = Capability::new(CapabilityFacts { tenants: only(&[]), ..capability_facts("docs.summarise") }).unwrap();
    assert!(invoke(&set, &service("acme"), &mine).allowed);
    for (tenant, capability) in [("globex", &mine), ("acme", &nobodys)] {
        let decision = invoke(&set, &service(tenant), capability);
        assert_eq!((decision.allowed, ids(&decision)), (false, vec!["custody.tenant_isolation"]));
    }
    let route = route("simulator", DataClass::Restricted, None, only(&["acme"]));
    assert!(take(&set, &service("acme"), &route, DataClass::Public, &mine).allowed);
    let decision = take(&set, &service("globex"), &route, DataClass::Public, &mine);
    assert_eq!(ids(&decision), ["custody.tenant_isolation"]);
}

/// Principals of the same name in two tenants are two principals, also where a tenant's name looks like a path.
#[test]
fn a_principal_is_named_within_its_tenant() {
    let set = load("@id(\"one\") permit (principal == Service::\"acme|app\", action, resource);");
    assert!(invoke(&set, &service("acme"), &capability("docs.summarise")).allowed);
    assert!(!invoke(&set, &service("globex"), &capability("docs.summarise")).allowed);
    assert!(!invoke(&set, &principal("acme", PrincipalKind::User, &[]), &capability("docs.summarise")).allowed);
}

// PRN-13
#[test]
fn no_route_carries_data_above_its_ceiling() {
    let set = load(PERMIT_ALL);
    for ceiling in DataClass::ALL {
        for class in DataClass::ALL {
            let route = route("simulator", *ceiling, None, TenantScope::All);
            let decision = take(&set, &service("acme"), &route, *class, &capability("docs.summarise"));
            assert_eq!(decision.allowed, class <= ceiling, "{class} on {ceiling}");
            assert_eq!(ids(&decision), [if decision.allowed { "all" } else { "custody.data_class_ceiling" }]);
        }
    }
}

#[test]
fn a_route_policy_may_ask_about_the_capability() {
    let set = load(
        "@id(\"a\") permit (principal, action == Action::\"UseRoute\", resource)
         when { context.capability.owner == \"support-platform\" && context.capability == Capability::\"docs.summarise\"
                && context.workflow == \"tickets\" && context.controlLevel == 0 };"
            .replace("context.workflow ==", "context has workflow && context.workflow ==")
            .as_str(),
    );
    let route = route("simulator", DataClass::Restricted, None, TenantScope::All);
    assert!(take(&set, &service("acme"), &route, DataClass::Public, &capability("docs.summarise")).allowed);
    assert!(!take(&set, &service("acme"), &route, DataClass::Public, &capability("support.answer")).allowed);
}

#[test]
fn the_same_facts_give_the_same_answer() {
    let set = PolicySet::load(SCHEMA, &[CAPABILITIES, ROUTES]).unwrap();
    let ask = || invoke(&set, &service("acme"), &capability("docs.summarise"));
    assert_eq!(ask(), ask());
}
