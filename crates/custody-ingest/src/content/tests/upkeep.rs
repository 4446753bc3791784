//! Keys of the days beside the loop.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use custody_seal::edge::EdgeDay;
use custody_types::Clock;
use custody_vault::EdgeKeys;
use tokio::sync::watch;

use super::world::{DAY, Lookup, NOON, World, window};
use crate::content::{Backlog, ContentUpkeep, KeyWitness, UpkeepConfig, tests::world::FakeContent};

pub(super) struct AllRead;

#[async_trait]
impl Backlog for AllRead {
    async fn unread_from(&self) -> Option<EdgeDay> {
        None
    }
}

#[derive(Default)]
pub(super) struct Told(Mutex<Vec<EdgeDay>>);

#[async_trait]
impl KeyWitness for Told {
    async fn destroyed(&self, days: &[EdgeDay]) {
        self.0.lock().unwrap().extend_from_slice(days);
    }
}

fn upkeep(world: &World, told: &Arc<Told>, keys_every: Duration) -> ContentUpkeep<FakeContent> {
    ContentUpkeep {
        step: world.step(),
        table: world.table.clone(),
        lookup: Arc::new(Lookup(world.table.clone())),
        backlog: Arc::new(AllRead),
        witness: told.clone(),
        ids: world.ids.clone(),
        config: UpkeepConfig { unpark_every: Duration::from_millis(20), keys_every },
    }
}

async fn has_key(world: &World) -> bool {
    let now = world.clock.now();
    EdgeKeys::public_keys(world.objects.as_ref(), window(), now).await.unwrap().current(now).is_ok()
}

/// Without a key of the day requests are refused: a key service that was away for a moment must not cost an hour of them.
#[tokio::test]
async fn keys_that_could_not_be_made_are_tried_again_soon() {
    let world = World::new().await;
    world.clock.set(NOON + 5 * DAY);
    world.keys.set_away(true);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(upkeep(&world, &Arc::default(), Duration::from_secs(60 * 60)).run(stopped));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!has_key(&world).await, "the key service is away");
    world.keys.set_away(false);
    let soon = async {
        while !has_key(&world).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // An hour of turns would take more than a minute here.
    tokio::time::timeout(Duration::from_secs(20), soon).await.expect("a turn later there is a key");
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test]
async fn keys_that_are_destroyed_are_told_once() {
    let (world, told) = (World::new().await, Arc::new(Told::default()));
    let made = world.edge().days().await.unwrap();
    world.clock.set(NOON + 30 * DAY);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(upkeep(&world, &told, Duration::ZERO).run(stopped));
    let is_told = async {
        while told.0.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_told).await.expect("keys of days that are over are destroyed");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!made.is_empty());
    assert_eq!(*told.0.lock().unwrap(), made.into_iter().collect::<Vec<_>>());
    stop.send_replace(true);
    running.await.unwrap();
}
