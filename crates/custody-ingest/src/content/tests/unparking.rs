//! What is parked becomes rows as soon as it can, whatever holds others up.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_lake::StoreError;
use custody_seal::wrap::WrapError;
use custody_testkit::store::CommitFault;
use custody_types::{Seq, Source};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use super::{
    upkeep::{AllRead, Told},
    world::{DAY, FakeContent, Lookup, NOON, World},
};
use crate::{
    EventLookup,
    content::{ContentUpkeep, UpkeepConfig, VaultStep, unpark},
};

const AWAY: WrapError = WrapError::Unavailable { retry_after: Duration::from_millis(1) };

/// The lake; others commit to it after each of its first answers.
struct Busy(FakeContent, AtomicUsize);

#[async_trait]
impl EventLookup for Busy {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        let answer = Lookup(self.0.clone()).event_ids_at(source, seqs).await;
        if self.1.fetch_add(1, Ordering::SeqCst) < 5 {
            self.0.maintain();
        }
        answer
    }
}

/// Texts of these tenants, each parked at a place of its own.
async fn parked(world: &World, tenants: &[&str]) {
    world.keys.set_away(true);
    for (number, tenant) in tenants.iter().enumerate() {
        let person = format!("p_{number}");
        world.log([world.sealed(|record| (record.tenant, record.person) = ((*tenant).into(), Some(person.into()))).await]);
        world.run().await;
    }
    assert_eq!(world.parked().len(), tenants.len());
    world.keys.set_away(false);
}

fn upkeep(world: &World, step: &Arc<VaultStep>) -> (JoinHandle<()>, watch::Sender<bool>) {
    let upkeep = ContentUpkeep {
        step: Arc::clone(step),
        table: world.table.clone(),
        lookup: Arc::new(Lookup(world.table.clone())),
        backlog: Arc::new(AllRead),
        witness: Arc::new(Told::default()),
        ids: world.ids.clone(),
        config: UpkeepConfig { unpark_every: Duration::from_millis(5), keys_every: Duration::from_millis(5) },
    };
    let stop = watch::Sender::new(false);
    (tokio::spawn(upkeep.run(stop.subscribe())), stop)
}

#[tokio::test]
async fn a_tenant_whose_key_is_refused_keeps_no_other_tenants_texts_parked() {
    let world = World::new().await;
    let refused = world.sealed(|record| record.tenant = "other".into()).await;
    world.log([world.sealed(|_| ()).await, refused, world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.run().await;
    world.keys.set_away(false);
    world.keys.set_of_tenant(Some(("other".parse().unwrap(), WrapError::Refused)));
    for expected in [2, 0] {
        let unparked = world.unpark().await.unwrap();
        assert_eq!((unparked.places, unparked.texts, unparked.waiting), (0, expected, 1));
    }
    assert_eq!(world.rows().iter().map(|row| row.position.get()).collect::<Vec<_>>(), [0, 2]);
    world.keys.set_of_tenant(None);
    let unparked = world.unpark().await.unwrap();
    assert_eq!((unparked.places, unparked.texts), (1, 1));
    world.assert_each_once(3);
    assert_eq!(world.metrics.figures().unparked, 3);
}

/// The same, where no answer to the commit of some is heard.
#[tokio::test]
async fn some_of_a_place_whose_commit_was_not_heard_of_are_not_repeated() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost, CommitFault::InFlight] {
        let world = World::new().await;
        world.log([world.sealed(|_| ()).await, world.sealed(|record| record.tenant = "other".into()).await]);
        world.keys.set_away(true);
        world.run().await;
        world.keys.set_away(false);
        world.keys.set_of_tenant(Some(("other".parse().unwrap(), WrapError::Refused)));
        world.faults.next(fault);
        world.unpark().await.unwrap();
        world.table.arrive();
        world.keys.set_of_tenant(None);
        world.unpark().await.unwrap();
        world.assert_each_once(2);
        assert_eq!((world.parked().len(), world.metrics.figures().unparked), (0, 2), "{fault:?}");
    }
}

#[tokio::test]
async fn texts_are_sealed_once_however_often_others_commit_first() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await, world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.run().await;
    world.keys.set_away(false);
    let before = world.table.orphans();
    let lookup = Busy(world.table.clone(), AtomicUsize::new(0));
    let unparked = unpark(&world.step(), &world.table, &lookup, world.ids.as_ref()).await.unwrap();
    assert_eq!((unparked.texts, lookup.1.load(Ordering::SeqCst)), (2, 6));
    assert_eq!(world.table.orphans() - before, 0, "files that were staged for nothing");
    world.assert_each_once(2);
}

#[tokio::test]
async fn a_place_that_fails_does_not_keep_the_next_from_being_tried() {
    let world = World::new().await;
    parked(&world, &["acme", "acme", "acme"]).await;
    world.faults.next(CommitFault::Failed);
    let _ = world.unpark().await;
    assert_eq!(world.rows().len(), 2);
    world.unpark().await.unwrap();
    world.assert_each_once(3);
}

/// Each call to a service that does not answer takes as long as its time limit.
#[tokio::test]
async fn a_pass_ends_where_the_key_service_is_away() {
    let world = World::new().await;
    parked(&world, &["acme"; 12]).await;
    let step = world.step();
    world.keys.set_away(true);
    let before = world.keys.calls();
    let unparked = unpark(&step, &world.table, &Lookup(world.table.clone()), world.ids.as_ref()).await.unwrap();
    assert_eq!((unparked.texts, unparked.waiting), (0, 12));
    assert!(world.keys.calls() - before <= 3, "{} calls", world.keys.calls() - before);
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    world.assert_each_once(12);
}

/// A tenant whose own key service is away comes first in each listing, and not in each pass.
#[tokio::test]
async fn the_next_pass_begins_behind_what_the_last_one_ended_at() {
    let world = World::new().await;
    parked(&world, &["acme", "acme", "other", "acme", "other"]).await;
    world.keys.set_of_tenant(Some(("acme".parse().unwrap(), AWAY)));
    let step = world.step();
    for _ in 0..4 {
        unpark(&step, &world.table, &Lookup(world.table.clone()), world.ids.as_ref()).await.unwrap();
    }
    assert_eq!(world.rows().iter().map(|row| row.position.get()).collect::<Vec<_>>(), [2, 4]);
}

#[tokio::test]
async fn upkeep_stops_while_the_key_service_answers_nothing() {
    let world = World::new().await;
    parked(&world, &["acme"]).await;
    for day in [0, 2] {
        world.clock.set(NOON + day * DAY);
        world.keys.set_silent(true);
        let (running, stop) = upkeep(&world, &world.step());
        tokio::time::sleep(Duration::from_millis(30)).await;
        stop.send_replace(true);
        assert!(timeout(Duration::from_secs(2), running).await.is_ok(), "day {day}");
        world.keys.set_silent(false);
    }
}

/// Parked texts wait for a key service that answers nothing for their tenant. Tomorrow's key is made all the same.
#[tokio::test]
async fn keys_are_made_while_a_pass_over_what_is_parked_hangs() {
    let world = World::new().await;
    parked(&world, &["acme"]).await;
    world.keys.set_silent_for(Some("acme".parse().unwrap()));
    let (running, stop) = upkeep(&world, &world.step());
    tokio::time::sleep(Duration::from_millis(30)).await;
    world.clock.set(NOON + DAY);
    let is_made = || world.objects.names().contains(&"edge/20502.key".to_owned());
    let made = async {
        while !is_made() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let made = timeout(Duration::from_secs(2), made).await;
    stop.send_replace(true);
    running.abort();
    assert!(made.is_ok(), "no key of the day after tomorrow");
}

/// Opening goes on while a key of another day is asked for.
#[tokio::test]
async fn texts_open_while_the_key_of_another_day_is_asked_for() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    world.log([world.sealed(|_| ()).await]);
    world.settle(&mut ingest).await.unwrap();
    world.clock.set(NOON + DAY);
    world.edge().prepare(custody_types::Clock::now(world.clock.as_ref())).await.unwrap();
    world.clock.set(NOON);
    world.keys.set_silent(true);
    let asking = tokio::spawn({
        let step = Arc::clone(&step);
        async move { step.destroy_keys(None).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!asking.is_finished());
    world.log([world.sealed(|_| ()).await]);
    timeout(Duration::from_secs(2), world.settle(&mut ingest)).await.expect("the opener is not locked").unwrap();
    world.assert_each_once(2);
    world.keys.set_silent(false);
    asking.await.unwrap().unwrap();
}
