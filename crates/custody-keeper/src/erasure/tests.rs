use std::sync::Arc;

use custody_types::{PersonPseudonym, TenantId};

use super::*;
use crate::{
    forgetting::{
        ForgetError, KeptKey, Scope,
        testing::{At, Counting, Failing, Parked, State, World, a_week, claim, hold, key, on, request, row},
    },
    hold::HoldScope,
};

const TODAY: i32 = 20_807;

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn keys() -> [KeptKey; 5] {
    [
        key(1, "acme", Some("p-1"), TODAY - 40),
        key(2, "acme", Some("p-1"), TODAY),
        key(3, "acme", Some("p-2"), TODAY),
        key(4, "acme", None, TODAY),
        key(5, "globex", Some("p-1"), TODAY),
    ]
}

fn parked(tenant: &str, person: &str, made_on: i32) -> Parked {
    Parked { day: made_on, tenant: tenant.parse().unwrap(), person: Some(person.parse().unwrap()), made_at: on(made_on) }
}

fn state() -> State {
    let keys = keys();
    let mut rows: Vec<_> = keys.iter().zip(1..).map(|(key, number)| row(number, key, TODAY - 1, 90)).collect();
    rows[1].has_claim = true;
    rows[2].has_claim = true;
    State {
        claims: [claim(TODAY + 89, "text-2"), claim(TODAY + 89, "text-3")].into(),
        parked: vec![parked("acme", "p-1", TODAY - 2), parked("acme", "p-2", TODAY - 2), parked("globex", "p-1", TODAY - 2)],
        edge_days: [TODAY - 2, TODAY - 1, TODAY, TODAY + 1].into(),
        keys: keys.to_vec(),
        pseudonym_keys: [acme(), "globex".parse().unwrap()].into(),
        rows,
        ..State::default()
    }
}

fn erasure(world: &Arc<World>) -> Erasure {
    Erasure::new(ErasureParts {
        vault: Arc::clone(world) as _,
        table: Arc::clone(world) as _,
        wrapping: Arc::clone(world) as _,
        evidence: Arc::clone(world) as _,
        clock: Arc::new(At(on(TODAY))),
        ids: Arc::new(Counting::default()),
        stream: a_week(),
        key_cache_seconds: 60,
    })
}

fn of(person: Option<&str>) -> ErasureRequest {
    let person = person.map(|person| person.parse::<PersonPseudonym>().unwrap());
    ErasureRequest { scope: Scope { tenant: acme(), person }, reason: "asked for".to_owned() }
}

fn left(state: &State) -> (Vec<u8>, Vec<&str>) {
    let keys = state.keys.iter().map(|key| key.id.as_bytes()[0]).collect();
    (keys, state.rows.iter().map(|row| row.content_id.as_str()).collect())
}

fn actions(state: &State) -> Vec<&str> {
    state.events.iter().map(|event| &*event.control.action).collect()
}

#[tokio::test]
async fn a_person_is_erased_and_everyone_else_stays() {
    let world = World::new(state());
    let erasure = erasure(&world);
    let done = erasure.begin(&of(Some("p-1"))).await.unwrap();
    let state = world.state().clone();
    assert_eq!(left(&state), (vec![3, 4, 5], vec!["text-3", "text-4", "text-5"]));
    assert_eq!(state.claims, [claim(TODAY + 89, "text-3")].into());
    assert_eq!(state.parked, [parked("acme", "p-2", TODAY - 2), parked("globex", "p-1", TODAY - 2)]);
    assert_eq!((state.tombstones.len(), state.tombstones.values().next()), (1, Some(&on(TODAY))));
    assert!(state.in_old_files.is_empty() && state.retired.is_empty());
    assert_eq!(actions(&state), ["erasure.begun", "erased"]);
    let certificate = erasure.certificate(&done.id).await.unwrap().unwrap();
    assert_eq!(certificate.destroyed.unit_keys, ["01".repeat(16), "02".repeat(16)]);
    assert_eq!((certificate.destroyed.rows.rows, certificate.destroyed.claim_checks, certificate.destroyed.parked), (2, 1, 1));
    assert_eq!(state.events[1].control.after_hash.as_deref(), Some(crate::forgetting::hash(&certificate.json()).as_str()));
}

#[tokio::test]
async fn the_certificate_says_from_when_each_old_copy_is_unreadable() {
    let world = World::new(state());
    let done = erasure(&world).begin(&of(Some("p-1"))).await.unwrap();
    let certificate = erasure(&world).certificate(&done.id).await.unwrap().unwrap();
    let days: Vec<_> = certificate.stream_days.iter().map(|day| (day.day.as_str(), day.parked)).collect();
    assert_eq!(days, [("2026-12-18", 2), ("2026-12-19", 0), ("2026-12-20", 0), ("2026-12-21", 0)]);
    assert_eq!(certificate.stream_days[0].unreadable_from.micros(), (i64::from(TODAY) - 1 + 7) * 86_400_000_000 + 43_200_000_000);
    let text = certificate.text();
    for line in [
        "p-1 of acme",
        "2 unit keys",
        "2 texts, 20 bytes, deleted from the lake",
        "2026-12-18: at the earliest 2026-12-26T12:00:00Z, once 2 parked",
        "dead letters",
        "input_hash",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("the key store: once the wrapping key is rotated"), "{text}");
}

#[tokio::test]
async fn a_tenant_is_erased_with_its_wrapping_key() {
    let world = World::new(state());
    let done = erasure(&world).begin(&of(None)).await.unwrap();
    assert_eq!(left(&world.state()), (vec![5], vec!["text-5"]));
    assert_eq!(world.state().retired, [acme()].into());
    assert_eq!(done.wrapping_keys, ["wrapping key removed, 0 keys left"]);
    assert_eq!(world.state().parked, [parked("globex", "p-1", TODAY - 2)]);
}

fn pseudonymous(world: &World) -> Vec<String> {
    world.state().pseudonym_keys.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_tenants_pseudonyms_lose_their_key_with_the_tenant_and_not_with_a_person() {
    let world = World::new(state());
    let erasure = erasure(&world);
    let planned = erasure.plan(&of(Some("p-1"))).await.unwrap();
    let done = erasure.begin(&of(Some("p-1"))).await.unwrap();
    assert_eq!((planned.pseudonym_key, done.pseudonym_key, pseudonymous(&world).len()), (false, false, 2));
    let certificate = erasure.certificate(&done.id).await.unwrap().unwrap();
    assert!(certificate.not_covered.iter().any(|line| line.contains("key of the tenant's pseudonyms stays")), "{certificate:?}");
    assert!(!certificate.json().contains("pseudonym_key"), "certificates of before have no such field, and their hashes hold");

    assert!(erasure.plan(&of(None)).await.unwrap().pseudonym_key);
    let done = erasure.begin(&of(None)).await.unwrap();
    assert_eq!(pseudonymous(&world), ["globex"]);
    let certificate = erasure.certificate(&done.id).await.unwrap().unwrap();
    assert!(certificate.destroyed.pseudonym_key && certificate.text().contains("\n  the key of the tenant's pseudonyms\n"));
    assert!(!certificate.not_covered.iter().any(|line| line.contains("pseudonyms stays")));
    let told = world.state().events.last().unwrap().control.parameters.clone();
    assert!(told.iter().any(|(name, value)| (&**name, &**value) == ("pseudonym_keys", "1")), "{told:?}");
}

#[tokio::test]
async fn a_tenant_without_pseudonyms_has_no_key_of_them_to_destroy() {
    let world = World::new(State { pseudonym_keys: [].into(), ..state() });
    let done = erasure(&world).begin(&of(None)).await.unwrap();
    let certificate = erasure(&world).certificate(&done.id).await.unwrap().unwrap();
    assert!(!done.pseudonym_key && !certificate.json().contains("pseudonym_key") && !certificate.text().contains("key of the tenant's"));
}

#[tokio::test]
async fn only_a_hold_on_the_tenant_keeps_the_key_of_its_pseudonyms() {
    let holds = [
        (HoldScope::Tenant { tenant: acme() }, vec!["acme", "globex"]),
        (HoldScope::Tenant { tenant: "globex".parse().unwrap() }, vec!["globex"]),
        (HoldScope::Person { tenant: acme(), person: "p-1".parse().unwrap() }, vec!["globex"]),
    ];
    for (scope, left) in holds {
        let is_held = left.len() == 2;
        let world = World::new(State { holds: vec![hold("h-1", scope)], ..state() });
        let erasure = erasure(&world);
        assert_eq!(erasure.plan(&of(None)).await.unwrap().pseudonym_key, !is_held);
        let done = erasure.begin(&of(None)).await.unwrap();
        assert_eq!((pseudonymous(&world), done.pseudonym_key), (left.iter().map(ToString::to_string).collect::<Vec<_>>(), !is_held));
        let certificate = erasure.certificate(&done.id).await.unwrap().unwrap();
        assert_eq!(certificate.text().contains("the key of the tenant's pseudonyms, by hold h-1"), is_held);
    }
}

#[tokio::test]
async fn a_certificate_says_now_of_the_key_store_only_where_all_older_wrapping_keys_went() {
    for (wrapping_key_stays, expected) in [(false, "the key store: now"), (true, "the key store: once the wrapping key is rotated")] {
        let world = World::new(State { wrapping_key_stays, ..state() });
        let done = erasure(&world).begin(&of(None)).await.unwrap();
        let text = erasure(&world).certificate(&done.id).await.unwrap().unwrap().text();
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn a_dry_run_finds_all_and_changes_nothing() {
    let world = World::new(state());
    let plan = erasure(&world).plan(&of(Some("p-1"))).await.unwrap();
    assert_eq!((plan.keys.len(), plan.found.rows.rows, plan.found.claims, plan.found.parked), (2, 2, 1, 1));
    assert_eq!(*world.state(), state());
}

#[tokio::test]
async fn what_is_on_hold_is_held_back_and_named() {
    let mut held = state();
    held.holds = vec![hold("h-1", HoldScope::Requests { requests: vec![request(2)] })];
    let world = World::new(held);
    let done = erasure(&world).begin(&of(None)).await.unwrap();
    assert_eq!(left(&world.state()), (vec![2, 5], vec!["text-2", "text-5"]));
    assert!(world.state().claims.contains(&claim(TODAY + 89, "text-2")));
    let certificate = erasure(&world).certificate(&done.id).await.unwrap().unwrap();
    assert_eq!((certificate.held_back.unit_keys[0].key.as_str(), certificate.held_back.rows.rows), ("02".repeat(16).as_str(), 1));
    assert!(certificate.text().contains(&format!("key {}, by hold h-1", "02".repeat(16))));
}

#[tokio::test]
async fn a_hold_on_another_tenant_holds_nothing_here_and_one_on_the_tenant_all() {
    for (tenant, keys) in [("globex", vec![5]), ("acme", vec![1, 2, 3, 4, 5])] {
        let mut held = state();
        held.holds = vec![hold("h-1", HoldScope::Tenant { tenant: tenant.parse().unwrap() })];
        let world = World::new(held);
        erasure(&world).begin(&of(None)).await.unwrap();
        assert_eq!(left(&world.state()).0, keys);
    }
}

/// A batch that was staged before the tombstone and committed after the rows were deleted.
#[tokio::test]
async fn texts_that_were_on_their_way_are_found_by_the_second_look() {
    let mut state = state();
    let new = key(6, "acme", Some("p-1"), TODAY);
    state.on_their_way = vec![vec![row(9, &keys()[1], TODAY - 1, 90), row(10, &new, TODAY - 1, 90)]];
    let world = World::new(state);
    let add_key = Arc::clone(&world);
    add_key.state().keys.push(new);
    let done = erasure(&world).begin(&of(Some("p-1"))).await.unwrap();
    assert_eq!(left(&world.state()), (vec![3, 4, 5], vec!["text-3", "text-4", "text-5"]));
    assert_eq!((done.passes, done.found.rows.rows), (2, 4));
}

/// Ingest that runs an older program, or whose clock is off: it is mended, and the erasure is not lost.
#[tokio::test]
async fn an_erasure_that_gave_up_because_texts_went_on_arriving_is_resumed() {
    let mut state = state();
    state.on_their_way = (9..12).map(|number| vec![row(number, &keys()[1], TODAY - 1, 90)]).collect();
    let world = World::new(state);
    let erasure = erasure(&world);
    let gave_up = erasure.begin(&of(Some("p-1"))).await;
    let Err(ForgetError::StillArriving { erasure: id, rows: 1 }) = gave_up else { panic!("{gave_up:?}") };
    let done = erasure.resume(&id).await.unwrap();
    assert_eq!(left(&world.state()), (vec![3, 4, 5], vec!["text-3", "text-4", "text-5"]));
    assert_eq!((done.next, done.found.rows.rows), (None, 5), "each is counted once");
    assert_eq!(actions(&world.state()), ["erasure.begun", "erased"]);
    assert!(erasure.certificate(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_made_after_the_erasure_stays_under_its_new_key() {
    let world = World::new(state());
    let (erasure, new) = (erasure(&world), key(6, "acme", Some("p-1"), TODAY));
    let done = erasure.begin(&of(Some("p-1"))).await.unwrap();
    world.state().keys.push(new.clone());
    world.state().rows.push(row(9, &new, TODAY + 1, 90));
    assert_eq!(erasure.resume(&done.id).await.unwrap(), done, "one that is done does nothing again");
    assert_eq!(left(&world.state()), (vec![3, 4, 5, 6], vec!["text-3", "text-4", "text-5", "text-9"]));
}

#[tokio::test]
async fn an_unknown_erasure_is_told() {
    let outcome = erasure(&World::new(state())).resume("none").await;
    assert!(matches!(outcome, Err(ForgetError::NoSuchErasure(id)) if id == "none"));
}

/// A row whose key is gone is forbidden by a tombstone: nobody is told that it is kept.
fn assert_never_half_open(state: &State) {
    for row in &state.rows {
        let opens = state.keys.iter().any(|key| key.id == row.key);
        let is_forbidden =
            state.tombstones.keys().any(|(tenant, person)| *tenant == row.tenant && (person.is_none() || *person == row.person));
        assert!(opens || is_forbidden, "{row:?} is kept, but its key is gone");
    }
}

#[tokio::test]
async fn wherever_an_erasure_fails_resuming_it_ends_in_the_same_state() {
    for person in [Some("p-1"), None] {
        let expected = World::new(state());
        erasure(&expected).begin(&of(person)).await.unwrap();
        let mut failures = 0;
        for call in 0.. {
            let mut any = false;
            for failing in [Failing::Before(call), Failing::After(call)] {
                let world = World::new(state());
                world.fail(Some(failing));
                let erasure = erasure(&world);
                if let Err(error) = erasure.begin(&of(person)).await {
                    any = true;
                    failures += 1;
                    assert_never_half_open(&world.state());
                    assert_destroyed_only_after_it_was_announced(&world.state());
                    assert!(matches!(error, ForgetError::Port { .. }), "{error:?}");
                    world.fail(None);
                    match erasure.all().await.unwrap().first() {
                        Some(plan) => drop(erasure.resume(&plan.id).await.unwrap()),
                        None => drop(erasure.begin(&of(person)).await.unwrap()),
                    }
                }
                let (state, expected) = (world.state().clone(), expected.state().clone());
                assert_eq!(actions(&state), actions(&expected), "{failing:?}");
                let without = |state: State| State { events: Vec::new(), documents: Default::default(), ..state };
                assert_eq!(without(state), without(expected), "{failing:?}");
            }
            if !any {
                break;
            }
        }
        assert!(failures > 60, "{failures} failures were tried");
    }
}

fn assert_destroyed_only_after_it_was_announced(current: &State) {
    let is_touched = current.keys != state().keys || current.rows != state().rows || current.pseudonym_keys != state().pseudonym_keys;
    if is_touched {
        assert_eq!(actions(current).first(), Some(&"erasure.begun"));
        assert_eq!(current.tombstones.len(), 1);
    }
}
