//! The vault step before a real table.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_lake::{ContentScope, ContentStore, DeadLetterStore, EventStore, LakeReader, LakeRoot, StoreError, TextState, forget_texts};
use custody_log::LogReader;
use custody_types::{LogPosition, Seq, Source};
use tokio::sync::watch;

use super::world::{TEXT, World};
use crate::{
    EventLookup, Ingest, IngestConfig, IngestMetrics, IngestParts, Turn,
    content::{ContentDecoder, VaultedContentStore, unpark},
};

struct Lake(LakeReader);

#[async_trait]
impl EventLookup for Lake {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        self.0.content_ids_at(source, seqs).await
    }

    fn may_forget(&self) -> bool {
        true
    }
}

async fn run(world: &World, lake: &LakeRoot) {
    let mut log = world.log.clone();
    log.seek(LogPosition::START);
    let (clock, ids) = (world.clock.clone(), world.ids.clone());
    EventStore::open(lake, clock.clone(), ids.clone()).await.unwrap();
    let dead_letters = DeadLetterStore::open(lake, clock.clone(), ids.clone()).await.unwrap();
    let table = ContentStore::open(lake, clock, ids.clone()).await.unwrap();
    let parts = IngestParts {
        clock: Arc::new(world.log.clone()),
        logs: vec![log],
        decoder: ContentDecoder,
        events: VaultedContentStore::new(world.step(), table),
        dead_letters,
        lookup: Arc::new(Lake(LakeReader::open(lake).await.unwrap())),
        acknowledge: Box::new(|_: &str, _| ()),
        ids,
        observer: Arc::new(IngestMetrics::default()),
    };
    let config = IngestConfig { flush_age: Duration::from_secs(2), read_wait: Duration::from_secs(1), ..IngestConfig::default() };
    let mut ingest = Ingest::new(config, parts);
    let stop = watch::channel(false).1;
    while ingest.turn(&stop).await.unwrap() != Turn::Idle {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_reach_a_real_table_are_parked_unparked_and_forgotten_there() {
    let folder = tempfile::tempdir().unwrap();
    let lake = LakeRoot::folder(folder.path());
    let world = World::new().await;
    let (first, claimed) = (world.sealed(|_| ()).await, world.claimed().await);
    world.log([first.clone(), claimed.clone()]);
    run(&world, &lake).await;
    run(&world, &lake).await;
    world.keys.set_away(true);
    let parked = world.sealed(|record| record.person = Some("p_bob".into())).await;
    world.log([parked.clone(), World::end(&parked)]);
    run(&world, &lake).await;
    let reader = LakeReader::open(&lake).await.unwrap();
    let counts = reader.count_texts(&ContentScope::of_tenant("acme"), &[]).await.unwrap();
    assert_eq!((counts.texts, world.parked().len()), (2, 1));
    world.keys.set_away(false);
    let table = ContentStore::open(&lake, world.clock.clone(), world.ids.clone()).await.unwrap();
    for expected in [1, 0] {
        let lookup = Lake(LakeReader::open(&lake).await.unwrap());
        assert_eq!(unpark(&world.step(), &table, &lookup, world.ids.as_ref()).await.unwrap().texts, expected);
    }
    for record in [&first, &claimed, &parked] {
        let rows = reader.texts_of(&record.request_id).await.unwrap();
        assert_eq!((rows.len(), rows[0].state), (1, TextState::Kept));
        assert_eq!(world.opened(&rows[0], record).await.0, TEXT);
    }
    let scope = ContentScope::of_person("acme", "p_anna");
    let forgotten = forget_texts(&lake, &scope, &[], world.clock.clone(), world.ids.clone()).await.unwrap();
    assert_eq!((forgotten.rows, forgotten.claims.len()), (2, 1));
    run(&world, &lake).await;
    assert_eq!(reader.count_texts(&ContentScope::of_tenant("acme"), &[]).await.unwrap().texts, 1);
}
