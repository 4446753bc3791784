use std::time::Duration;

use custody_seal::wrap::{KeyWrapper, WrapError};

use bytes::Bytes;

use super::*;
use crate::{
    FileKeys, KeyProvider,
    testing::{DyingObjects, HandClock, NOON, Switched, TestFolder, all, unit},
};

struct Bench {
    folder: TestFolder,
    clock: Arc<HandClock>,
    wrapper: Arc<FileKeys>,
}

impl Bench {
    async fn new() -> Self {
        let (folder, clock) = (TestFolder::new().await, HandClock::at(NOON));
        let wrapper = folder.keys(&clock).await;
        Self { folder, clock, wrapper }
    }

    fn keys_on(&self, objects: Arc<dyn Objects>, limits: CacheLimits) -> UnitKeys {
        UnitKeys::new(objects, Arc::clone(&self.wrapper) as Arc<dyn KeyWrapper>, Arc::clone(&self.clock) as Arc<dyn Clock>, limits)
    }

    fn keys(&self) -> UnitKeys {
        self.keys_on(self.folder.shared(), CacheLimits::default())
    }

    fn decrypts(&self) -> u64 {
        self.wrapper.calls().decrypt
    }
}

#[tokio::test]
async fn one_key_seals_a_unit_and_another_process_takes_it_up() {
    let bench = Bench::new().await;
    let (keys, unit) = (bench.keys(), unit("acme", Some("p-1")));
    let first = keys.for_sealing(&unit).await.unwrap();
    assert_eq!(keys.for_sealing(&unit).await.unwrap().id(), first.id());
    let restarted = bench.keys();
    assert_eq!(restarted.for_sealing(&unit).await.unwrap().id(), first.id());
    assert_eq!(keys.list_all().await.unwrap(), [KeptUnit { unit, key: first.id() }]);
    assert_eq!((bench.wrapper.calls().encrypt, bench.decrypts()), (1, 1));
}

#[tokio::test]
async fn a_destroyed_key_opens_nothing_even_where_it_is_cached() {
    let bench = Bench::new().await;
    let (keys, elsewhere, unit) = (bench.keys(), bench.keys(), unit("acme", None));
    let key = keys.for_sealing(&unit).await.unwrap().id();
    assert_eq!(keys.for_opening(&unit, key).await.unwrap().id(), key);
    assert!(elsewhere.destroy(&unit, key).await.unwrap());
    assert!(!elsewhere.destroy(&unit, key).await.unwrap(), "repeating is safe");
    assert!(matches!(keys.for_opening(&unit, key).await, Err(VaultError::KeyGone(gone)) if gone == key));
    assert!(!keys.still_kept(&unit, key).await.unwrap());
    assert_ne!(keys.for_sealing(&unit).await.unwrap().id(), key, "what comes later gets another key");
}

#[tokio::test]
async fn a_key_stays_unwrapped_for_so_long_so_often_and_among_so_many() {
    let bench = Bench::new().await;
    let limits = CacheLimits { entries: 2, age: Duration::from_secs(60), uses: 3 };
    let keys = bench.keys_on(bench.folder.shared(), limits);
    let units = ["a", "b", "c"].map(|person| unit("acme", Some(person)));
    keys.for_sealing(&units[0]).await.unwrap();
    bench.clock.advance(59);
    keys.for_sealing(&units[0]).await.unwrap();
    assert_eq!(bench.decrypts(), 0);
    bench.clock.advance(1);
    keys.for_sealing(&units[0]).await.unwrap();
    assert_eq!(bench.decrypts(), 1, "age");
    for _ in 0..2 {
        keys.for_sealing(&units[0]).await.unwrap();
    }
    assert_eq!(bench.decrypts(), 1);
    keys.for_sealing(&units[0]).await.unwrap();
    assert_eq!(bench.decrypts(), 2, "uses");
    for unit in &units[1..] {
        keys.for_sealing(unit).await.unwrap();
    }
    assert_eq!(keys.cached(), 2, "entries");
    keys.for_sealing(&units[0]).await.unwrap();
    assert_eq!(bench.decrypts(), 3, "the one used longest ago fell out");
}

#[tokio::test]
async fn lists_are_of_a_tenant_or_of_a_person() {
    let bench = Bench::new().await;
    let keys = bench.keys();
    for (tenant, person) in [("acme", Some("p-1")), ("acme", Some("p-2")), ("acme", None), ("acme-2", Some("p-1")), ("acme", Some("_"))] {
        keys.for_sealing(&unit(tenant, person)).await.unwrap();
    }
    let acme = "acme".parse().unwrap();
    assert_eq!(keys.list(&acme, None).await.unwrap().len(), 4);
    for person in ["p-1", "_"] {
        let of_person = keys.list(&acme, Some(&person.parse().unwrap())).await.unwrap();
        assert_eq!(of_person.iter().map(|kept| &kept.unit).collect::<Vec<_>>(), [&unit("acme", Some(person))]);
    }
    assert!(keys.list(&"nobody".parse().unwrap(), None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_that_was_put_in_anothers_place_is_refused() {
    let bench = Bench::new().await;
    let keys = bench.keys();
    let (own, other) = (unit("acme", Some("p-1")), unit("acme", Some("p-2")));
    let key = keys.for_sealing(&own).await.unwrap().id();
    let bytes = bench.folder.objects.get(&place::name(&own, key).unwrap()).await.unwrap().unwrap();
    bench.folder.objects.put(&place::name(&other, key).unwrap(), bytes).await.unwrap();
    assert!(matches!(bench.keys().for_opening(&other, key).await, Err(VaultError::Misplaced { .. })));
    bench.folder.objects.put(&place::name(&own, key).unwrap(), Bytes::from_static(b"torn")).await.unwrap();
    assert!(matches!(bench.keys().for_opening(&own, key).await, Err(VaultError::Unreadable { .. })));
}

/// A process that dies at any step of making a key leaves no key, or a whole one that the next process uses.
#[tokio::test]
async fn a_death_while_a_key_is_made_loses_none() {
    let unit = unit("acme", Some("p-1"));
    for last_is_done in [false, true] {
        for steps in 0..4 {
            let bench = Bench::new().await;
            let dying = bench.keys_on(DyingObjects::after(bench.folder.shared(), steps, last_is_done), CacheLimits::default());
            let handed_out = dying.for_sealing(&unit).await;
            let kept = bench.keys().list_all().await.unwrap();
            assert!(kept.len() <= 1);
            if let Ok(key) = &handed_out {
                assert_eq!(kept[0].key, key.id(), "a key was handed out that is not kept");
            }
            let next = bench.keys().for_sealing(&unit).await.unwrap();
            assert!(kept.iter().all(|kept| kept.key == next.id()), "the kept key goes on sealing");
            assert_eq!(all(bench.folder.objects.as_ref()).await.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_death_while_a_key_is_destroyed_leaves_it_whole_or_gone_and_is_made_good() {
    let unit = unit("acme", Some("p-1"));
    for last_is_done in [false, true] {
        for steps in 0..3 {
            let bench = Bench::new().await;
            let key = bench.keys().for_sealing(&unit).await.unwrap().id();
            let dying = bench.keys_on(DyingObjects::after(bench.folder.shared(), steps, last_is_done), CacheLimits::default());
            let destroyed = dying.destroy(&unit, key).await;
            let opened = bench.keys().for_opening(&unit, key).await;
            assert!(opened.is_ok() || matches!(opened, Err(VaultError::KeyGone(_))), "{opened:?}");
            assert!(destroyed.is_err() || opened.is_err(), "what is said to be destroyed is destroyed");
            bench.keys().destroy(&unit, key).await.unwrap();
            assert!(all(bench.folder.objects.as_ref()).await.is_empty());
        }
    }
}

#[tokio::test]
async fn while_the_key_service_is_away_nothing_is_made_and_cached_keys_go_on() {
    let bench = Bench::new().await;
    let switched = Switched::new(Arc::clone(&bench.wrapper) as Arc<dyn KeyWrapper>);
    let clock = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let wrapper = Arc::clone(&switched) as Arc<dyn KeyWrapper>;
    let keys = UnitKeys::new(bench.folder.shared(), wrapper, clock, CacheLimits::default());
    let (known, new) = (unit("acme", Some("p-1")), unit("acme", Some("p-2")));
    let key = keys.for_sealing(&known).await.unwrap().id();
    switched.turn(Some(WrapError::Unavailable { retry_after: Duration::from_secs(5) }));
    assert_eq!(keys.for_sealing(&known).await.unwrap().id(), key);
    assert!(keys.for_sealing(&new).await.unwrap_err().is_passing());
    assert_eq!(keys.list_all().await.unwrap().len(), 1);
    bench.clock.advance(300);
    assert!(keys.for_opening(&known, key).await.unwrap_err().is_passing(), "age counts while the service is away, too");
    switched.turn(Some(WrapError::Refused));
    assert!(!keys.for_sealing(&new).await.unwrap_err().is_passing(), "a refusal is no outage");
    switched.turn(None);
    assert_eq!(keys.for_opening(&known, key).await.unwrap().id(), key);
}

/// The texts that it sealed wait for its repair; those that come go on.
#[tokio::test]
async fn a_key_that_was_altered_does_not_stop_new_texts() {
    let bench = Bench::new().await;
    let unit = unit("acme", Some("p-1"));
    let lost = bench.keys().for_sealing(&unit).await.unwrap().id();
    let name = place::name(&unit, lost).unwrap();
    let whole = bench.folder.objects.get(&name).await.unwrap().unwrap();
    let mut altered = whole.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    for bytes in [Bytes::from(altered), Bytes::from_static(b"torn")] {
        bench.folder.objects.put(&name, bytes).await.unwrap();
        let another = bench.keys().for_sealing(&unit).await.unwrap().id();
        assert_ne!(another, lost);
        assert_eq!(bench.keys().for_sealing(&unit).await.unwrap().id(), another, "one more, not one for each text");
        assert!(bench.keys().for_opening(&unit, lost).await.is_err());
        bench.keys().destroy(&unit, another).await.unwrap();
    }
    bench.folder.objects.put(&name, whole).await.unwrap();
    assert_eq!(bench.keys().for_opening(&unit, lost).await.unwrap().id(), lost);
}
