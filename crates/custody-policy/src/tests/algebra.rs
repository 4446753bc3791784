//! Monotonic denial: more forbidding never allows more.

use proptest::{prelude::*, sample::select};

use super::*;

const CONDITIONS: [&str; 5] = [
    "principal in Tenant::\"acme\"",
    "principal in Group::\"replay\"",
    "principal is User",
    "context.environment == \"production\"",
    "resource.shared",
];

#[derive(Debug, Clone)]
struct Rule {
    effect: &'static str,
    condition: &'static str,
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (select(&["permit", "forbid"][..]), select(&CONDITIONS[..])).prop_map(|(effect, condition)| Rule { effect, condition });
    proptest::collection::vec(rule, 0..6)
}

fn text(rules: &[Rule]) -> String {
    let number = |(index, rule): (usize, &Rule)| {
        format!("@id(\"r{index}\") {} (principal, action, resource) when {{ {} }};\n", rule.effect, rule.condition)
    };
    rules.iter().enumerate().map(number).collect()
}

fn everybody() -> Vec<Principal> {
    let kinds = [PrincipalKind::User, PrincipalKind::Service];
    let groups: [&[&str]; 2] = [&[], &["replay"]];
    let tenants = ["acme", "globex"];
    tenants.iter().flat_map(|tenant| kinds.map(|kind| groups.map(|groups| principal(tenant, kind, groups))).into_iter().flatten()).collect()
}

fn allowed(set: &PolicySet) -> Vec<bool> {
    let capability = capability("docs.summarise");
    let route = route("simulator", DataClass::Internal, None, only(&["acme"]));
    let ask = |principal: &Principal| {
        let routes = DataClass::ALL.iter().map(|class| take(set, principal, &route, *class, &capability).allowed).collect::<Vec<_>>();
        [vec![invoke(set, principal, &capability).allowed], routes].concat()
    };
    everybody().iter().flat_map(ask).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn one_more_forbid_never_allows_what_was_denied(rules in rules(), condition in select(&CONDITIONS[..])) {
        let before = allowed(&load(&text(&rules)));
        let more = [rules, vec![Rule { effect: "forbid", condition }]].concat();
        let after = allowed(&load(&text(&more)));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| *before || !after));
    }

    #[test]
    fn one_permit_less_never_allows_what_was_denied(rules in rules()) {
        let before = allowed(&load(&text(&rules)));
        let permit = rules.iter().position(|rule| rule.effect == "permit");
        let less: Vec<Rule> = rules.into_iter().enumerate().filter(|(index, _)| Some(*index) != permit).map(|(_, rule)| rule).collect();
        let after = allowed(&load(&text(&less)));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| *before || !after));
    }

    #[test]
    fn more_sensitive_data_never_opens_a_route(rules in rules()) {
        let set = load(&text(&rules));
        let route = route("simulator", DataClass::Confidential, None, TenantScope::All);
        for principal in everybody() {
            let by_class: Vec<bool> =
                DataClass::ALL.iter().map(|class| take(&set, &principal, &route, *class, &capability("docs.summarise")).allowed).collect();
            prop_assert!(by_class.windows(2).all(|pair| pair[0] || !pair[1]));
        }
    }

    #[test]
    fn the_order_of_policies_does_not_matter(rules in rules()) {
        let forward = allowed(&load(&text(&rules)));
        let backward: Vec<Rule> = rules.into_iter().rev().collect();
        prop_assert_eq!(forward, allowed(&load(&text(&backward))));
    }
}
