use custody_seal::rest::{Month, ShredUnit};
use custody_types::Clock;
use custody_vault::{CacheLimits, FileKeys, ObjectName, UnitKeys, VaultRoot, open_objects};
use tempfile::TempDir;

use super::*;
use crate::forgetting::testing::{At, on};

struct Bench {
    _folder: TempDir,
    objects: Arc<dyn Objects>,
    keys: Arc<FileKeys>,
    clock: Arc<dyn Clock>,
}

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn unit() -> ShredUnit {
    ShredUnit { tenant: acme(), person: None, purpose: "quality".parse().unwrap(), month: Month::of(on(20_800)) }
}

impl Bench {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let objects = open_objects(&VaultRoot::folder(folder.path().join("vault"))).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(At(on(20_800)));
        let keys = FileKeys::open(folder.path().join("vault.key"), None, Arc::clone(&clock)).await.unwrap();
        Self { _folder: folder, objects, keys: Arc::new(keys), clock }
    }

    fn units(&self) -> UnitKeys {
        UnitKeys::new(Arc::clone(&self.objects), Arc::clone(&self.keys) as _, Arc::clone(&self.clock), CacheLimits::default())
    }

    /// A unit key of the tenant's, as a process put it.
    async fn unit_key(&self) -> (ObjectName, bytes::Bytes) {
        self.units().for_sealing(&unit()).await.unwrap();
        let name = self.objects.list(&"units".parse().unwrap()).await.unwrap().pop().unwrap();
        let bytes = self.objects.get(&name).await.unwrap().unwrap();
        (name, bytes)
    }

    fn tenant_keys(&self, longest_put: Duration) -> TenantKeys {
        TenantKeys::new(Arc::clone(&self.objects), Arc::clone(&self.keys) as _, None, longest_put)
    }

    async fn opens(&self) -> bool {
        let kept = self.units().list_all().await.unwrap().pop().unwrap();
        self.units().for_opening(&kept.unit, kept.key).await.is_ok()
    }
}

#[tokio::test]
async fn keys_that_are_left_are_wrapped_anew_and_the_older_wrapping_key_goes() {
    let bench = Bench::new().await;
    bench.unit_key().await;
    let retired = bench.tenant_keys(Duration::ZERO).retire(&acme(), 0).await.unwrap();
    assert!(retired.all && retired.did.len() == 2 && bench.opens().await, "{retired:?}");
}

/// An altered key can't be wrapped anew. What wrapped it stays for its repair, and nobody is told that a copy opens nothing.
#[tokio::test]
async fn a_wrapping_key_that_is_needed_stays_and_is_told() {
    let bench = Bench::new().await;
    let (name, bytes) = bench.unit_key().await;
    let mut altered = bytes.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    bench.objects.put(&name, altered.into()).await.unwrap();
    let retired = bench.tenant_keys(Duration::ZERO).retire(&acme(), 0).await.unwrap();
    assert!(!retired.all && retired.did.iter().any(|did| did.contains("stays in the key file")), "{retired:?}");
    bench.objects.put(&name, bytes).await.unwrap();
    assert!(bench.opens().await, "once it is repaired, it opens");
}

/// Wrapped right before the new wrapping key came, and put as late as the store's client tries.
#[tokio::test]
async fn a_key_that_was_on_its_way_opens() {
    let bench = Bench::new().await;
    let (name, bytes) = bench.unit_key().await;
    bench.objects.delete(&name).await.unwrap();
    let on_its_way = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        bench.objects.put(&name, bytes).await.unwrap();
    };
    let (acme, tenant_keys) = (acme(), bench.tenant_keys(Duration::from_secs(1)));
    let (retired, ()) = tokio::join!(tenant_keys.retire(&acme, 0), on_its_way);
    assert!(retired.unwrap().all && bench.opens().await);
}

#[test]
fn a_put_on_s3_is_waited_for_longer_than_one_in_a_folder() {
    let s3 = VaultRoot::parse("s3://bucket/vault", custody_vault::S3Options::default()).unwrap();
    assert!(s3.longest_put() > Duration::from_secs(90) && VaultRoot::folder("vault").longest_put() < Duration::from_secs(5));
}
