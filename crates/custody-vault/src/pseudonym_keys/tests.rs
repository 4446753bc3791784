use std::time::Duration;

use custody_seal::wrap::WrapError;

use super::*;
use crate::{
    FileKeys, KeyProvider,
    testing::{DyingObjects, HandClock, NOON, Switched, TestFolder, unit},
    unit_keys::UnitKeys,
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

    fn keys_on(&self, objects: Arc<dyn Objects>, limits: CacheLimits) -> PseudonymKeys {
        PseudonymKeys::new(objects, self.wrapper(), Arc::clone(&self.clock) as Arc<dyn Clock>, limits)
    }

    fn wrapper(&self) -> Arc<dyn KeyWrapper> {
        Arc::clone(&self.wrapper) as Arc<dyn KeyWrapper>
    }

    /// As another process has it.
    fn keys(&self) -> PseudonymKeys {
        self.keys_on(self.folder.shared(), CacheLimits::default())
    }
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

async fn number(keys: &PseudonymKeys, of: &str) -> u64 {
    keys.for_tenant(&tenant(of)).await.unwrap().pseudonym("EMAIL", "anna@example.org")
}

#[tokio::test]
async fn a_tenant_has_one_key_everywhere_and_another_tenant_another() {
    let bench = Bench::new().await;
    let keys = bench.keys();
    let first = number(&keys, "acme").await;
    assert_eq!((number(&keys, "acme").await, number(&bench.keys(), "acme").await), (first, first));
    assert_ne!(number(&keys, "other").await, first);
    assert_eq!(bench.wrapper.calls().encrypt, 2, "one was made for each tenant");
    assert_eq!(keys.tenants().await.unwrap(), [tenant("acme"), tenant("other")]);
    assert!(keys.is_kept(&tenant("acme")).await.unwrap() && !keys.is_kept(&tenant("third")).await.unwrap());
}

#[tokio::test]
async fn labels_of_any_form_have_places_of_their_own() {
    let bench = Bench::new().await;
    let keys = bench.keys();
    let all = ["a/b", ".hidden", "_", "x.key"];
    for name in all {
        keys.for_tenant(&tenant(name)).await.unwrap();
    }
    let mut found: Vec<String> = keys.tenants().await.unwrap().iter().map(ToString::to_string).collect();
    found.sort();
    let mut all = all.map(str::to_owned);
    all.sort();
    assert_eq!(found, all);
}

/// All begin before any has put: one wins, and everyone has the winner's.
#[tokio::test]
async fn who_comes_second_takes_the_first_ones_key() {
    let bench = Bench::new().await;
    let processes: Vec<PseudonymKeys> = (0..8).map(|_| bench.keys()).collect();
    let numbers = futures::future::join_all(processes.iter().map(|keys| number(keys, "acme"))).await;
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
    assert!(bench.wrapper.calls().encrypt > 1, "several tried");
    assert_eq!(number(&bench.keys(), "acme").await, numbers[0]);
}

#[tokio::test]
async fn a_destroyed_key_is_not_handed_out_again_even_where_it_is_cached() {
    let bench = Bench::new().await;
    let (keys, elsewhere) = (bench.keys(), bench.keys());
    let first = number(&keys, "acme").await;
    assert!(elsewhere.destroy(&tenant("acme")).await.unwrap());
    assert!(!elsewhere.destroy(&tenant("acme")).await.unwrap(), "repeating is safe");
    assert!(keys.at_hand(&tenant("acme")).await.unwrap().is_none());
    assert_eq!(keys.cached(), 0);
    let second = number(&keys, "acme").await;
    assert_ne!(second, first);
    assert!(elsewhere.destroy(&tenant("acme")).await.unwrap());
    let third = number(&elsewhere, "acme").await;
    assert_eq!(number(&keys, "acme").await, third, "made anew by another: the cached one is no longer the tenant's");
    assert_ne!(third, second);
}

#[tokio::test]
async fn a_key_stays_unwrapped_for_so_long_so_often_and_among_so_many() {
    let bench = Bench::new().await;
    let limits = CacheLimits { entries: 2, age: Duration::from_secs(60), uses: 3 };
    let keys = bench.keys_on(bench.folder.shared(), limits);
    let decrypts = || bench.wrapper.calls().decrypt;
    number(&keys, "a").await;
    bench.clock.advance(59);
    number(&keys, "a").await;
    assert_eq!(decrypts(), 0);
    bench.clock.advance(1);
    number(&keys, "a").await;
    assert_eq!(decrypts(), 1, "age");
    for _ in 0..2 {
        number(&keys, "a").await;
    }
    assert_eq!(decrypts(), 1);
    number(&keys, "a").await;
    assert_eq!(decrypts(), 2, "uses");
    for tenant in ["b", "c"] {
        number(&keys, tenant).await;
    }
    assert_eq!(keys.cached(), 2, "entries");
    number(&keys, "a").await;
    assert_eq!(decrypts(), 3, "the one used longest ago fell out");
}

#[tokio::test]
async fn a_key_in_anothers_place_is_refused_and_an_altered_one_is_not_replaced() {
    let bench = Bench::new().await;
    let keys = bench.keys();
    let first = number(&keys, "acme").await;
    number(&keys, "other").await;
    let objects = bench.folder.objects.as_ref();
    let (own, others) = (name(&tenant("acme")).unwrap(), name(&tenant("other")).unwrap());
    let kept = objects.get(&own).await.unwrap().unwrap();
    objects.put(&own, objects.get(&others).await.unwrap().unwrap()).await.unwrap();
    for keys in [&keys, &bench.keys()] {
        assert!(matches!(keys.for_tenant(&tenant("acme")).await, Err(VaultError::Misplaced { .. })), "also where the own is cached");
    }
    let units = UnitKeys::new(bench.folder.shared(), bench.wrapper(), bench.clock.clone(), CacheLimits::default());
    units.for_sealing(&unit("acme", None)).await.unwrap();
    let unit_key = objects.list(&"units".parse().unwrap()).await.unwrap().remove(0);
    objects.put(&own, objects.get(&unit_key).await.unwrap().unwrap()).await.unwrap();
    assert!(matches!(bench.keys().for_tenant(&tenant("acme")).await, Err(VaultError::Misplaced { .. })), "a unit key of the same tenant");
    objects.put(&own, Bytes::from_static(b"torn")).await.unwrap();
    assert!(matches!(bench.keys().for_tenant(&tenant("acme")).await, Err(VaultError::Unreadable { .. })));
    let mut altered = kept.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    objects.put(&own, altered.into()).await.unwrap();
    let refused = bench.keys().for_tenant(&tenant("acme")).await;
    assert!(matches!(refused, Err(VaultError::KeyService(WrapError::NotAuthentic))), "{refused:?}");
    objects.put(&own, kept).await.unwrap();
    assert_eq!(number(&bench.keys(), "acme").await, first, "put back, it is what it was");
}

/// A process that dies at any step of making a key leaves none, or a whole one that the next process uses.
#[tokio::test]
async fn a_death_while_a_key_is_made_leaves_one_at_most() {
    for last_is_done in [false, true] {
        for steps in 0..4 {
            let bench = Bench::new().await;
            let dying = bench.keys_on(DyingObjects::after(bench.folder.shared(), steps, last_is_done), CacheLimits::default());
            let handed_out = dying.for_tenant(&tenant("acme")).await.map(|key| key.pseudonym("EMAIL", "anna@example.org"));
            assert!(bench.keys().tenants().await.unwrap().len() <= 1);
            let next = number(&bench.keys(), "acme").await;
            assert!(handed_out.is_err() || handed_out.unwrap() == next, "what was handed out is kept");
        }
    }
}

#[tokio::test]
async fn while_the_key_service_is_away_nothing_is_made_and_a_cached_key_goes_on() {
    let bench = Bench::new().await;
    let switched = Switched::new(bench.wrapper());
    let keys = PseudonymKeys::new(bench.folder.shared(), Arc::clone(&switched) as _, bench.clock.clone(), CacheLimits::default());
    let first = number(&keys, "acme").await;
    switched.turn(Some(WrapError::Unavailable { retry_after: Duration::from_secs(5) }));
    assert_eq!(number(&keys, "acme").await, first);
    assert!(keys.at_hand(&tenant("acme")).await.unwrap().is_some());
    assert!(keys.for_tenant(&tenant("other")).await.unwrap_err().is_passing());
    assert!(keys.at_hand(&tenant("other")).await.unwrap().is_none());
    assert_eq!(keys.tenants().await.unwrap(), [tenant("acme")]);
    bench.clock.advance(300);
    assert!(keys.for_tenant(&tenant("acme")).await.unwrap_err().is_passing(), "age counts while the service is away, too");
    switched.turn(None);
    assert_eq!(number(&keys, "acme").await, first);
}
