//! Legal holds and erasures that come while a text is on its way.

use custody_lake::{CommitError, TableStore, TextState};
use uuid::Uuid;

use super::world::{DAY, NOON, World};

const ANNA: &str = r#"{"of":"person","tenant":"acme","person":"p_anna"}"#;

fn forgotten(reason: &str) -> (TextState, Option<String>) {
    (TextState::Forgotten, Some(reason.to_owned()))
}

const KEPT: (TextState, Option<String>) = (TextState::Kept, None);

#[tokio::test]
async fn who_is_on_hold_while_parked_is_neither_forgotten_nor_expired() {
    let world = World::new().await;
    let bobs = world.sealed(|record| record.person = Some("p_bob".into())).await;
    world.log([world.sealed(|_| ()).await, bobs]);
    world.keys.set_away(true);
    world.run().await;
    world.hold(ANNA).await;
    world.forget("acme", None, NOON).await;
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    assert_eq!(world.states(), [KEPT, forgotten("forgotten")]);
}

#[tokio::test]
async fn a_text_on_its_way_is_held_as_its_hold_says_and_no_longer_than_that() {
    let request = "019a0000-0000-7000-8000-00000000000a";
    let scopes =
        [r#"{"of":"tenant","tenant":"acme"}"#.to_owned(), ANNA.to_owned(), format!(r#"{{"of":"requests","requests":["{request}"]}}"#)];
    for scope in scopes {
        let world = World::new().await;
        let held = world.sealed(|record| record.request_id = request.into()).await;
        let expired = world.sealed(|record| (record.request_id, record.expires_on) = (request.into(), 20_500)).await;
        let others = world.sealed(|record| (record.tenant, record.person) = ("other".into(), Some("p_anna".into()))).await;
        world.log([held, expired, others]);
        world.hold(&scope).await;
        world.forget("acme", Some("p_anna"), NOON).await;
        world.forget("other", None, NOON).await;
        world.run().await;
        assert_eq!(world.states(), [KEPT, KEPT, forgotten("forgotten")], "{scope}");
    }
    let world = World::new().await;
    world.hold(ANNA).await;
    let released = r#"{"at":1,"reason":"closed"}"#;
    let hold = format!(r#"{{"version":1,"id":"h","scope":{ANNA},"reason":"case 7","placed_at":{NOON},"released":{released}}}"#);
    custody_vault::Objects::put(world.objects.as_ref(), &"holds/h.json".parse().unwrap(), hold.into()).await.unwrap();
    world.forget("acme", Some("p_anna"), NOON).await;
    world.log([world.sealed(|_| ()).await]);
    world.run().await;
    assert_eq!(world.states(), [forgotten("forgotten")]);
}

/// The erasure had destroyed the unit's keys before the text was sealed, so that the key that sealed it is a new one and lives.
#[tokio::test]
async fn a_text_that_is_forgotten_between_sealing_and_committing_is_read_again() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    let step = world.step();
    let store = world.store_over(&step);
    let staged = store.stage(world.texts_up_to(1)).await.unwrap();
    world.forget("acme", Some("p_anna"), NOON).await;
    let state = store.snapshot().await.unwrap();
    let refused = store.commit(&state, staged, &[], Uuid::from_u128(99)).await;
    assert!(matches!(refused, Err(CommitError::Failed(_))), "{refused:?}");
    assert_eq!((world.rows().len(), world.metrics.figures().staged_again), (0, 1));
    world.settle(&mut world.ingest_over(&step)).await.unwrap();
    assert_eq!(world.states(), [forgotten("forgotten")]);
}

#[tokio::test]
async fn a_tombstone_that_does_not_reach_a_staged_text_or_a_hold_on_it_lets_it_land() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    let store = world.store_over(&world.step());
    for (number, person, up_to, hold) in [(1, "p_bob", NOON, None), (2, "p_anna", NOON - DAY, None), (3, "p_anna", NOON, Some(ANNA))] {
        let staged = store.stage(world.texts_up_to(1)).await.unwrap();
        if let Some(scope) = hold {
            world.hold(scope).await;
        }
        world.forget("acme", Some(person), up_to).await;
        let state = store.snapshot().await.unwrap();
        store.commit(&state, staged, &[], Uuid::from_u128(number)).await.unwrap();
    }
    assert_eq!(world.states(), [KEPT, KEPT, KEPT]);
}
