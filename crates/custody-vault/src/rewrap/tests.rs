use std::time::Duration;

use custody_seal::{
    edge::EdgeWindow,
    wrap::{KeyWrapper, WrapError},
};
use custody_types::Clock;

use super::*;
use crate::{
    CacheLimits, EdgeKeys, FileKeys, PseudonymKeys, UnitKeys,
    testing::{DyingObjects, HandClock, NOON, TestFolder, all, unit},
};

const HOUR: i64 = 3_600;

struct Bench {
    folder: TestFolder,
    clock: Arc<HandClock>,
    keys: Arc<FileKeys>,
    /// What stands for a value at each tenant.
    numbers: Vec<u64>,
}

impl Bench {
    /// Two days, and two tenants with three units and pseudonyms each.
    async fn new() -> Self {
        let (folder, clock) = (TestFolder::new().await, HandClock::at(NOON));
        let keys = folder.keys(&clock).await;
        let mut bench = Self { folder, clock, keys, numbers: Vec::new() };
        let window = EdgeWindow::new(Duration::from_secs(3_600), Duration::from_secs(3_600));
        let edge = EdgeKeys::new(bench.folder.shared(), Arc::clone(&bench.keys) as Arc<dyn KeyWrapper>, window);
        edge.prepare(NOON).await.unwrap();
        for tenant in ["acme", "other"] {
            for person in [None, Some("p-1"), Some("p-2")] {
                bench.units().for_sealing(&unit(tenant, person)).await.unwrap();
            }
        }
        bench.numbers = bench.numbers_now().await;
        bench
    }

    /// As a process that starts now has them.
    async fn numbers_now(&self) -> Vec<u64> {
        let (wrapper, clock) = (Arc::clone(&self.keys) as Arc<dyn KeyWrapper>, Arc::clone(&self.clock) as Arc<dyn Clock>);
        let pseudonyms = PseudonymKeys::new(self.folder.shared(), wrapper, clock, CacheLimits::default());
        let mut numbers = Vec::new();
        for tenant in ["acme", "other"] {
            numbers.push(pseudonyms.for_tenant(&tenant.parse().unwrap()).await.unwrap().pseudonym("EMAIL", "a@b.org"));
        }
        numbers
    }

    fn units(&self) -> UnitKeys {
        let wrapper = Arc::clone(&self.keys) as Arc<dyn KeyWrapper>;
        UnitKeys::new(self.folder.shared(), wrapper, Arc::clone(&self.clock) as Arc<dyn Clock>, CacheLimits::default())
    }

    fn rewrapper_on(&self, objects: Arc<dyn Objects>) -> Rewrapper {
        Rewrapper::new(objects, Arc::clone(&self.keys) as Arc<dyn KeyProvider>)
    }

    fn rewrapper(&self) -> Rewrapper {
        self.rewrapper_on(self.folder.shared())
    }

    async fn rotate_all(&self) {
        self.keys.rotate(None).await.unwrap();
        for tenant in ["acme", "other"] {
            self.keys.rotate(Some(&tenant.parse().unwrap())).await.unwrap();
        }
    }

    async fn all_open(&self) {
        for kept in self.units().list_all().await.unwrap() {
            self.units().for_opening(&kept.unit, kept.key).await.unwrap();
        }
        assert_eq!(self.numbers_now().await, self.numbers);
        for (name, bytes) in all(self.folder.objects.as_ref()).await {
            if name.as_str().ends_with(KEY) {
                self.keys.unwrap(&read_wrapped(&name, &bytes).unwrap()).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn after_a_rotation_every_key_is_wrapped_anew_and_the_old_wrapping_keys_go() {
    let bench = Bench::new().await;
    let rewrapper = bench.rewrapper();
    let before = rewrapper.in_use().await.unwrap();
    assert_eq!(before.values().copied().collect::<BTreeSet<_>>(), BTreeSet::from([2, 4]));
    bench.clock.advance(HOUR);
    bench.rotate_all().await;
    let mut seen = Vec::new();
    let report = rewrapper.rewrap_all(false, &mut |progress| seen.push(progress)).await.unwrap();
    assert_eq!((report.rewrapped, report.current, report.changed, report.failed.len()), (10, 0, 0, 0));
    assert_eq!(seen.last(), Some(&RewrapProgress { done: 10, of: 10 }));
    let after = rewrapper.in_use().await.unwrap();
    assert!(after.keys().all(|name| !before.contains_key(name)));
    assert!(rewrapper.remove_unused().await.unwrap().is_empty(), "another process may be about to use them");
    bench.clock.advance(HOUR);
    let removed: BTreeSet<_> = rewrapper.remove_unused().await.unwrap().into_iter().collect();
    assert_eq!(removed, before.into_keys().collect());
    bench.all_open().await;
}

#[tokio::test]
async fn a_wrapping_key_that_still_wraps_something_stays() {
    let bench = Bench::new().await;
    bench.clock.advance(HOUR);
    bench.rotate_all().await;
    bench.clock.advance(2 * HOUR);
    assert!(bench.rewrapper().remove_unused().await.unwrap().is_empty());
    bench.all_open().await;
}

#[tokio::test]
async fn a_second_run_skips_what_is_done_unless_everything_is_asked_for() {
    let bench = Bench::new().await;
    bench.rotate_all().await;
    for (everything, rewrapped, current) in [(false, 10, 0), (false, 0, 10), (true, 10, 0)] {
        let report = bench.rewrapper().rewrap_all(everything, &mut |_| ()).await.unwrap();
        assert_eq!((report.rewrapped, report.current), (rewrapped, current));
    }
    bench.all_open().await;
}

/// Wherever a run dies, every key opens, and the next run completes it.
#[tokio::test]
async fn a_death_while_keys_are_wrapped_anew_loses_none() {
    for last_is_done in [false, true] {
        for steps in [0, 1, 2, 3, 5, 9, 10, 13, 18, 21] {
            let bench = Bench::new().await;
            bench.rotate_all().await;
            let dying = DyingObjects::after(bench.folder.shared(), steps, last_is_done);
            let died = bench.rewrapper_on(dying).rewrap_all(false, &mut |_| ()).await;
            bench.all_open().await;
            let report = bench.rewrapper().rewrap_all(false, &mut |_| ()).await.unwrap();
            // What the dead run had begun may be done only now.
            assert_eq!(report.rewrapped + report.current + report.changed, 10, "{died:?}");
            assert_eq!(bench.rewrapper().rewrap_all(false, &mut |_| ()).await.unwrap().current, 10);
            assert!(report.failed.is_empty());
            bench.all_open().await;
        }
    }
}

/// Deletes an object between its reading and its replacement.
#[derive(Debug)]
struct Deleting(Arc<dyn Objects>);

#[async_trait::async_trait]
impl Objects for Deleting {
    async fn get(&self, name: &ObjectName) -> Result<Option<bytes::Bytes>, VaultError> {
        let found = self.0.get(name).await;
        self.0.delete(name).await?;
        found
    }

    async fn put(&self, name: &ObjectName, bytes: bytes::Bytes) -> Result<(), VaultError> {
        self.0.put(name, bytes).await
    }

    async fn put_new(&self, name: &ObjectName, bytes: bytes::Bytes) -> Result<crate::Put, VaultError> {
        self.0.put_new(name, bytes).await
    }

    async fn replace(&self, name: &ObjectName, was: &[u8], bytes: bytes::Bytes) -> Result<Replaced, VaultError> {
        self.0.replace(name, was, bytes).await
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), VaultError> {
        self.0.delete(name).await
    }

    async fn list(&self, folder: &ObjectName) -> Result<Vec<ObjectName>, VaultError> {
        self.0.list(folder).await
    }
}

#[tokio::test]
async fn a_key_that_is_destroyed_meanwhile_does_not_come_back() {
    let bench = Bench::new().await;
    bench.rotate_all().await;
    let report = bench.rewrapper_on(Arc::new(Deleting(bench.folder.shared()))).rewrap_all(false, &mut |_| ()).await.unwrap();
    assert_eq!((report.changed, report.rewrapped), (10, 0));
    assert!(bench.units().list_all().await.unwrap().is_empty());
}

#[tokio::test]
async fn one_altered_key_stops_neither_the_others_nor_goes_unsaid() {
    let bench = Bench::new().await;
    let kept = bench.units().list_all().await.unwrap();
    let name = bench.folder.objects.list(&"units".parse().unwrap()).await.unwrap().remove(0);
    let mut altered = bench.folder.objects.get(&name).await.unwrap().unwrap().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    bench.folder.objects.put(&name, altered.into()).await.unwrap();
    bench.clock.advance(HOUR);
    bench.rotate_all().await;
    bench.clock.advance(2 * HOUR);
    let report = bench.rewrapper().rewrap_all(false, &mut |_| ()).await.unwrap();
    assert_eq!((report.rewrapped, report.failed.len()), (9, 1));
    assert!(matches!(&report.failed[0], (failed, VaultError::KeyService(WrapError::NotAuthentic)) if *failed == name));
    let removed = bench.rewrapper().remove_unused().await.unwrap();
    assert_eq!(removed.len(), 2, "the one that the altered key names stays");
    bench.folder.objects.put(&name, bytes::Bytes::from_static(b"torn")).await.unwrap();
    assert!(bench.rewrapper().in_use().await.is_err(), "which wrapping key it needs is unknown");
    assert_eq!(kept.len(), 6);
}

#[tokio::test]
async fn readers_go_on_while_keys_are_wrapped_anew() {
    let bench = Bench::new().await;
    bench.rotate_all().await;
    let rewrapper = bench.rewrapper();
    let mut quiet = |_: RewrapProgress| ();
    let (report, ()) = tokio::join!(rewrapper.rewrap_all(false, &mut quiet), async {
        for _ in 0..5 {
            bench.all_open().await;
        }
    });
    assert_eq!(report.unwrap().rewrapped, 10);
}
