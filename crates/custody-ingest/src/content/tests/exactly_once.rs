//! Whatever dies, each text is one row, and only one.

use std::{cell::Cell, panic::AssertUnwindSafe};

use custody_testkit::store::CommitFault;
use custody_types::watch_fault_points;
use tokio::{runtime::Runtime, sync::watch};

use super::world::World;
use crate::Turn;

const TEXTS: u64 = 3;

async fn world() -> World {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await, world.claimed().await, world.sealed(|record| record.tenant = "other".into()).await]);
    world
}

/// A new process finishes what the last one left.
async fn recover(world: &World) {
    world.objects.revive();
    world.keys.set_away(false);
    world.run().await;
    world.unpark().await.unwrap();
    world.assert_each_once(TEXTS);
    assert!(world.parked().is_empty(), "{:?}", world.parked());
    assert!(world.states().iter().all(|(state, _)| *state == custody_lake::TextState::Kept), "{:?}", world.states());
}

/// The vault's store dies at each of its operations in turn, with and without effect, while keys are there and while they are away.
#[tokio::test]
async fn a_vault_that_dies_at_any_operation_neither_loses_nor_doubles_a_text() {
    for keys_are_away in [false, true] {
        for unheard in [false, true] {
            let mut operation = 1;
            loop {
                let world = world().await;
                world.keys.set_away(keys_are_away);
                world.objects.die_at(operation, unheard);
                let first = world.settle(&mut world.ingest()).await;
                let _ = world.unpark().await;
                let has_died = world.objects.revive();
                recover(&world).await;
                if !has_died {
                    first.expect("nothing failed");
                    break;
                }
                operation += 1;
            }
            assert!(operation > 10, "only {operation} operations");
        }
    }
}

#[tokio::test]
async fn a_table_that_gives_any_answer_neither_loses_nor_doubles_a_text() {
    let faults = [CommitFault::Failed, CommitFault::Lost, CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::InFlight];
    for keys_are_away in [false, true] {
        for fault in faults {
            let world = world().await;
            world.keys.set_away(keys_are_away);
            world.faults.next(fault);
            let _ = world.settle(&mut world.ingest()).await;
            world.table.arrive();
            recover(&world).await;
        }
    }
}

/// Fails when the position check before the commit is deleted.
#[tokio::test]
async fn of_two_ingests_of_one_log_only_one_stores_a_text() {
    let world = World::new().await;
    let (mut slow, mut quick) = (world.ingest(), world.ingest());
    world.settle(&mut slow).await.unwrap();
    world.log([world.sealed(|_| ()).await, world.sealed(|_| ()).await]);
    world.settle(&mut quick).await.unwrap();
    assert_eq!(slow.turn(&watch::channel(false).1).await.unwrap(), Turn::Rewound);
    world.settle(&mut slow).await.unwrap();
    world.assert_each_once(2);
}

thread_local! {
    static DIES_AT: Cell<Option<&'static str>> = const { Cell::new(None) };
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

struct Killed;

fn die_if_here(name: &'static str) {
    if DIES_AT.get() == Some(name) {
        DIES_AT.set(None);
        SEEN.set(SEEN.get() + 1);
        std::panic::resume_unwind(Box::new(Killed));
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_death_at_any_named_point_neither_loses_nor_doubles_a_text() {
    watch_fault_points(die_if_here);
    for point in ["content.stage", "content.claims_put", "content.parked", "content.committed", "content.unparked"] {
        let runtime = runtime();
        let world = runtime.block_on(world());
        let is_of_parking = matches!(point, "content.parked" | "content.unparked");
        world.keys.set_away(is_of_parking);
        SEEN.set(0);
        DIES_AT.set(Some(point));
        let die = |work: &mut dyn FnMut()| std::panic::catch_unwind(AssertUnwindSafe(work)).is_err();
        let mut killed = die(&mut || runtime.block_on(world.run()));
        world.keys.set_away(false);
        if point == "content.unparked" {
            killed = die(&mut || drop(runtime.block_on(world.unpark())));
        }
        assert!(killed && SEEN.get() == 1, "{point} was reached");
        runtime.block_on(recover(&world));
        let left = world.claims("edge");
        let is_after_commit = matches!(point, "content.committed" | "content.unparked");
        assert_eq!(
            left,
            usize::from(is_after_commit),
            "{point}: only a death between commit and deletion leaves a claim for the day's end"
        );
    }
}
