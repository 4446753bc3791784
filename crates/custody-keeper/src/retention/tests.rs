use std::sync::Arc;

use custody_types::Text;

use super::*;
use crate::{
    forgetting::{
        ForgetError,
        testing::{At, Counting, Failing, Parked, State, World, a_week, claim, hold, key, on, request, row},
    },
    hold::HoldScope,
};

/// 2026-12-20; the months before this one are closed.
const TODAY: i32 = 20_807;
const OCTOBER: i32 = 20_740;
const NOVEMBER: i32 = 20_780;
const DECEMBER: i32 = 20_800;

fn state() -> State {
    let [old, mixed, new] = [key(1, "acme", Some("p-1"), OCTOBER), key(2, "acme", Some("p-2"), NOVEMBER), key(3, "globex", None, DECEMBER)];
    let mut rows = vec![row(1, &old, OCTOBER, 30), row(2, &mixed, NOVEMBER, 7), row(3, &mixed, NOVEMBER, 90), row(4, &new, DECEMBER, 3)];
    rows[0].has_claim = true;
    State {
        keys: vec![old, mixed, new],
        edge_days: [TODAY - 31, TODAY - 30, TODAY - 20, TODAY - 1, TODAY].into(),
        claims: [
            claim(OCTOBER + 30, "text-1"),
            claim(OCTOBER + 30, "text-1.redacted"),
            claim(TODAY, "never-committed"),
            claim(TODAY + 9, "text-9"),
        ]
        .into(),
        parked: vec![Parked { day: TODAY - 30, tenant: "acme".parse().unwrap(), person: None, made_at: on(TODAY - 30) }],
        rows,
        ..State::default()
    }
}

fn retention(world: &Arc<World>) -> Retention {
    Retention::new(RetentionParts {
        vault: Arc::clone(world) as _,
        table: Arc::clone(world) as _,
        evidence: Arc::clone(world) as _,
        clock: Arc::new(At(on(TODAY))),
        ids: Arc::new(Counting::default()),
        stream: a_week(),
        actor: "custody",
    })
}

fn left(world: &World) -> (Vec<u8>, Vec<String>) {
    let state = world.state();
    let keys = state.keys.iter().map(|key| key.id.as_bytes()[0]).collect();
    (keys, state.rows.iter().map(|row| row.content_id.clone()).collect())
}

fn parameter(world: &World, name: &str) -> String {
    let state = world.state();
    assert_eq!(state.events.len(), 1);
    state.events[0].control.parameters[&Text::from(name)].to_string()
}

#[tokio::test]
async fn what_is_due_is_forgotten_and_nothing_else() {
    let world = World::new(state());
    let done = retention(&world).run().await.unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(left(&world), (vec![2, 3], vec!["text-3".to_owned()]), "the key of November stays for the text that is kept");
    let state = world.state().clone();
    assert_eq!(state.claims, [claim(TODAY + 9, "text-9")].into(), "one without a row is due by its date");
    assert_eq!(state.in_old_files, []);
    let event = &state.events[0].control;
    assert_eq!((&*event.action, &*event.actor), ("retention.expired", "custody"));
    assert_eq!(event.before_hash.as_deref(), Some(crate::forgetting::hash(&format!("{}\n", "01".repeat(16))).as_str()));
    drop(state);
    assert_eq!(parameter(&world, "unit_keys"), "1");
    assert_eq!(parameter(&world, "texts"), "3");
    assert_eq!(parameter(&world, "claim_checks"), "3");
}

#[tokio::test]
async fn with_nothing_due_nothing_is_written() {
    let world = World::new(state());
    let retention = retention(&world);
    retention.run().await.unwrap();
    let before = world.state().clone();
    assert_eq!(retention.run().await.unwrap(), []);
    assert_eq!(*world.state(), before);
}

#[tokio::test]
async fn a_plan_alone_changes_nothing() {
    let world = World::new(state());
    let plan = retention(&world).plan().await.unwrap();
    assert_eq!((plan.keys.len(), plan.counts.due.rows), (1, 3));
    assert_eq!(*world.state(), state());
}

#[tokio::test]
async fn a_hold_on_a_request_keeps_its_row_its_key_and_its_claim_check() {
    let mut held = state();
    held.holds = vec![hold("h-1", HoldScope::Requests { requests: vec![request(1)] })];
    let world = World::new(held);
    let done = retention(&world).run().await.unwrap();
    assert_eq!(left(&world), (vec![1, 2, 3], vec!["text-1".to_owned(), "text-3".to_owned()]));
    assert_eq!(done[0].held[0].holds, ["h-1"]);
    assert_eq!(parameter(&world, "texts_held"), "1");
    assert!(["text-1", "text-1.redacted"].iter().all(|name| world.state().claims.contains(&claim(OCTOBER + 30, name))));

    let released = world.state().holds[0].released("closed".to_owned(), on(TODAY));
    world.state().holds.retain(|_| released.is_in_force());
    retention(&world).run().await.unwrap();
    assert_eq!(left(&world).0, [2, 3], "after the release it goes with the next run");
}

#[tokio::test]
async fn holds_on_tenants_and_persons_keep_all_of_theirs() {
    let (acme, person) = ("acme".parse().unwrap(), "p-1".parse().unwrap());
    for scope in [HoldScope::Tenant { tenant: "acme".parse().unwrap() }, HoldScope::Person { tenant: acme, person }] {
        let mut held = state();
        held.holds = vec![hold("h-1", scope)];
        let world = World::new(held);
        retention(&world).run().await.unwrap();
        let (keys, rows) = left(&world);
        assert_eq!((keys, rows[0].as_str()), (vec![1, 2, 3], "text-1"));
    }
}

fn of_october() -> Parked {
    Parked { day: OCTOBER, tenant: "acme".parse().unwrap(), person: Some("p-1".parse().unwrap()), made_at: on(OCTOBER) }
}

/// As ingest does it: under the unit's key where it is there, under a new one else.
fn unpark_october(state: &mut State) {
    state.parked.retain(|text| text.day != OCTOBER);
    let kept = state.keys.iter().find(|kept| kept.id == key(1, "acme", Some("p-1"), OCTOBER).id).cloned();
    let under = kept.unwrap_or_else(|| {
        state.keys.push(key(9, "acme", Some("p-1"), OCTOBER));
        key(9, "acme", Some("p-1"), OCTOBER)
    });
    state.rows.push(row(9, &under, OCTOBER, 400));
}

#[tokio::test]
async fn a_key_stays_while_a_parked_text_may_be_of_its_month() {
    let world = World::new(state());
    world.state().parked.push(of_october());
    retention(&world).run().await.unwrap();
    assert_eq!(left(&world), (vec![1, 2, 3], vec!["text-3".to_owned()]));
    world.state().parked.clear();
    retention(&world).run().await.unwrap();
    assert_eq!(left(&world).0, [2, 3]);
}

#[tokio::test]
async fn a_text_that_leaves_the_parked_ones_at_any_moment_of_a_run_stays_open() {
    for call in 0.. {
        let world = World::new(state());
        world.state().parked.push(of_october());
        world.meanwhile(call, unpark_october);
        retention(&world).run().await.unwrap();
        assert_never_half_open(&world.state());
        if !world.others_acted() {
            assert!(call > 10, "{call} moments were tried");
            break;
        }
    }
}

#[tokio::test]
async fn a_key_whose_text_became_a_row_after_the_plan_is_not_destroyed_by_it() {
    let world = World::new(state());
    let planned = retention(&world).plan().await.unwrap();
    assert_eq!(planned.keys.len(), 1);
    let bytes = serde_json::to_vec(&planned).unwrap();
    world.state().documents.insert(("retention".to_owned(), "current".to_owned()), bytes);
    unpark_october(&mut world.state());
    let done = retention(&world).run().await.unwrap();
    assert_eq!(left(&world), (vec![1, 2, 3], vec!["text-3".to_owned(), "text-9".to_owned()]));
    assert_eq!(done[0].keys, [], "and its event says so");
}

/// Of two runs at once, the one whose mark is written over by the other's stops.
#[tokio::test]
async fn a_run_stops_where_another_made_the_next_mark() {
    let other = RetentionPlan { id: "another".to_owned(), next: None, ..retention(&World::new(state())).plan().await.unwrap() };
    let (bytes, name) = (serde_json::to_vec(&other).unwrap(), ("retention".to_owned(), "current".to_owned()));
    let mut stopped = 0;
    for call in 0.. {
        let (world, theirs) = (World::new(state()), (name.clone(), bytes.clone()));
        world.meanwhile(call, move |state| drop(state.documents.insert(theirs.0, theirs.1)));
        let outcome = retention(&world).run().await;
        if !world.others_acted() {
            break;
        }
        match outcome {
            Err(ForgetError::AnotherRun(id)) => {
                stopped += 1;
                assert_eq!(id, "another");
                assert_eq!(world.state().documents[&name], bytes, "what the other wrote stands");
            }
            outcome => assert!(call == 0 && outcome.is_ok(), "call {call}: {outcome:?}"),
        }
    }
    assert!(stopped > 20, "it stopped at {stopped} moments");
}

/// A row whose key is gone is due: nobody is told that it is kept.
fn assert_never_half_open(state: &State) {
    for row in &state.rows {
        let opens = state.keys.iter().any(|key| key.id == row.key);
        assert!(opens || row.expires_on <= TODAY, "{row:?} is kept, but its key is gone");
    }
}

#[tokio::test]
async fn wherever_a_run_fails_the_next_ends_in_the_same_state() {
    let expected = World::new(state());
    retention(&expected).run().await.unwrap();
    let mut failures = 0;
    for call in 0.. {
        let mut any = false;
        for failing in [Failing::Before(call), Failing::After(call)] {
            let world = World::new(state());
            world.fail(Some(failing));
            let outcome = retention(&world).run().await;
            assert_never_half_open(&world.state());
            if outcome.is_err() {
                any = true;
                failures += 1;
                assert!(matches!(outcome, Err(ForgetError::Port { .. })), "{outcome:?}");
                world.fail(None);
                retention(&world).run().await.unwrap();
            }
            assert_same(&world.state(), &expected.state(), failing);
        }
        if !any {
            break;
        }
    }
    assert!(failures > 30, "{failures} failures were tried");
}

/// All but the plan's own ids, of which a run that failed before its plan was durable used some.
fn assert_same(state: &State, expected: &State, failing: Failing) {
    let told = |state: &State| -> Vec<_> {
        let facts = |event: &crate::forgetting::NewEvent| {
            let mut control = event.control.clone();
            control.parameters.remove(&Text::from("plan"));
            control
        };
        state.events.iter().map(facts).collect()
    };
    assert_eq!(told(state), told(expected), "{failing:?}");
    let without = |state: &State| State { events: Vec::new(), documents: Default::default(), ..state.clone() };
    assert_eq!(without(state), without(expected), "{failing:?}");
}

#[tokio::test]
async fn the_report_says_what_is_due_what_is_held_and_when_each_key_goes() {
    let mut held = state();
    held.holds = vec![hold("h-1", HoldScope::Requests { requests: vec![request(1)] })];
    let report = retention(&World::new(held)).report().await.unwrap();
    let acme = &report.texts[0];
    assert_eq!((acme.tenant.as_str(), acme.kept.rows, acme.due.rows, acme.held.rows), ("acme", 3, 2, 1));
    let goes: Vec<_> = report.unit_keys.iter().map(|line| (line.destroyed_on.as_str(), line.held_by.len())).collect();
    assert_eq!(goes, [("2026-11-13", 1), ("2027-02-21", 0), ("2027-01-09", 0)]);
    assert_eq!(report.edge_keys[1].parked, 1);
}
