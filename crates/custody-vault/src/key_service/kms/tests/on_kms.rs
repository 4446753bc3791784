//! Against a server that wraps: `cargo xtask services up` says where it is. It does not look at a key's state, so AWS's rules for
//! that stand in front of it (`server.rs`).

use std::{sync::Arc, time::Duration};

use custody_types::Clock;

use super::{
    super::*,
    server::{Answer, Server},
    *,
};
use crate::{
    CacheLimits, Rewrapper, UnitKeys,
    testing::{HandClock, TestFolder},
};

struct Bench {
    server: Server,
    kms: KmsKeys,
}

impl Bench {
    /// A key of its own for `acme`, and a default one.
    async fn new() -> Self {
        let endpoint = std::env::var_os("CUSTODY_TEST_KMS_ENDPOINT").and_then(|text| text.into_string().ok());
        let endpoint = endpoint.expect("CUSTODY_TEST_KMS_ENDPOINT is set: `cargo xtask test` does");
        let server = Server::before(endpoint.strip_prefix("http://").unwrap()).await;
        let mut bench = Self { kms: keys(&options(&server.url)), server };
        let (default_key, of_acme) = (bench.new_key().await, bench.new_key().await);
        bench.use_keys(&default_key, &of_acme);
        bench
    }

    async fn new_key(&self) -> String {
        self.kms.client.create_key().send().await.unwrap().key_metadata().unwrap().arn().unwrap().to_owned()
    }

    /// As after a start with another configuration.
    fn use_keys(&mut self, default_key: &str, of_acme: &str) {
        let mut options = options(&self.server.url);
        default_key.clone_into(&mut options.default_key);
        options.tenants.insert("acme".parse().unwrap(), of_acme.to_owned());
        self.kms = keys(&options);
    }

    /// The id, which is all that the server takes for what changes a key's state.
    fn key_of_acme(&self) -> &str {
        let key = self.kms.options.key_of(Some(&"acme".parse().unwrap()));
        key.rsplit('/').next().unwrap()
    }
}

#[tokio::test]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn a_key_is_wrapped_by_its_tenants_key_and_opens_in_its_context_only() {
    let bench = Bench::new().await;
    for (context, key) in [
        (of_day(), bench.kms.options.default_key.clone()),
        (of_unit("other"), bench.kms.options.default_key.clone()),
        (of_unit("acme"), bench.kms.options.tenants.values().next().unwrap().clone()),
    ] {
        let wrapped = bench.kms.wrap(&secret(), &context).await.unwrap();
        assert_eq!(wrapped.wrapping_key().as_str(), key);
        let read = WrappedKey::decode(&wrapped.encode()).unwrap();
        assert_eq!(bench.kms.unwrap(&read).await.unwrap(), secret());
        for other in [of_day(), of_unit("other"), of_unit("acme"), WrapContext { key: [1; 16], ..context.clone() }] {
            let moved = WrappedKey::new(read.wrapping_key().clone(), other.clone(), read.wrapped().to_vec()).unwrap();
            let opened = bench.kms.unwrap(&moved).await;
            assert_eq!(opened.err(), (other != context).then_some(WrapError::NotAuthentic));
        }
    }
}

#[tokio::test]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn an_altered_key_and_another_wrapping_key_open_nothing() {
    let bench = Bench::new().await;
    let wrapped = bench.kms.wrap(&secret(), &of_unit("acme")).await.unwrap();
    let mut altered = wrapped.wrapped().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let altered = WrappedKey::new(wrapped.wrapping_key().clone(), of_unit("acme"), altered).unwrap();
    assert_eq!(bench.kms.unwrap(&altered).await.unwrap_err(), WrapError::NotAuthentic);
    // AWS says IncorrectKey, this server AccessDenied.
    let default_key = bench.kms.options.default_key.parse().unwrap();
    let claimed = WrappedKey::new(default_key, of_unit("acme"), wrapped.wrapped().to_vec()).unwrap();
    assert!(matches!(bench.kms.unwrap(&claimed).await, Err(WrapError::NotAuthentic | WrapError::Refused)));
    let nobody = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000";
    let unknown = WrappedKey::new(nobody.parse().unwrap(), of_unit("acme"), wrapped.wrapped().to_vec()).unwrap();
    assert!(bench.kms.unwrap(&unknown).await.is_err());
    let mut absent = Bench::new().await;
    absent.use_keys(nobody, nobody);
    assert_eq!(absent.kms.wrap(&secret(), &of_unit("acme")).await.unwrap_err(), WrapError::UnknownKey);
}

#[tokio::test]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn a_key_is_wrapped_anew_without_being_seen() {
    let mut bench = Bench::new().await;
    let wrapped = bench.kms.wrap(&secret(), &of_unit("acme")).await.unwrap();
    assert!(bench.kms.is_current(&wrapped).await);
    let (default_key, new) = (bench.kms.options.default_key.clone(), bench.new_key().await);
    bench.kms.client.create_alias().alias_name("alias/custody-acme").target_key_id(&new).send().await.unwrap();
    bench.use_keys(&default_key, "alias/custody-acme");
    assert!(!bench.kms.is_current(&wrapped).await);
    let anew = bench.kms.rewrap(&wrapped).await.unwrap();
    assert_eq!((anew.wrapping_key().as_str(), anew.context()), (new.as_str(), wrapped.context()));
    assert!(bench.kms.is_current(&anew).await, "the alias's key is known once it was used");
    assert_eq!(bench.kms.unwrap(&anew).await.unwrap(), secret());
    assert_eq!(bench.kms.unwrap(&wrapped).await.unwrap(), secret(), "the old one is still there");
    let calls = bench.kms.calls();
    assert_eq!((calls.encrypt, calls.decrypt, calls.reencrypt), (0, 2, 1));
    bench.kms.client.delete_alias().alias_name("alias/custody-acme").send().await.unwrap();
}

#[tokio::test]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn a_disabled_key_and_one_whose_deletion_is_scheduled_open_nothing_until_they_are_back() {
    let bench = Bench::new().await;
    let wrapped = bench.kms.wrap(&secret(), &of_unit("acme")).await.unwrap();
    let (client, key) = (&bench.kms.client, bench.key_of_acme());
    client.disable_key().key_id(key).send().await.unwrap();
    assert_eq!(bench.kms.unwrap(&wrapped).await.unwrap_err(), WrapError::UnknownKey);
    assert_eq!(bench.kms.wrap(&secret(), &of_unit("acme")).await.unwrap_err(), WrapError::UnknownKey);
    assert_eq!(bench.kms.rewrap(&wrapped).await.unwrap_err(), WrapError::UnknownKey);
    assert!(bench.kms.wrap(&secret(), &of_unit("other")).await.is_ok(), "other tenants go on");
    client.enable_key().key_id(key).send().await.unwrap();
    assert_eq!(bench.kms.unwrap(&wrapped).await.unwrap(), secret());
    client.schedule_key_deletion().key_id(key).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(bench.kms.unwrap(&wrapped).await.unwrap_err(), WrapError::UnknownKey);
    client.cancel_key_deletion().key_id(key).send().await.unwrap();
    client.enable_key().key_id(key).send().await.unwrap();
    assert_eq!(bench.kms.unwrap(&wrapped).await.unwrap(), secret());
}

#[tokio::test]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn a_short_throttling_is_not_noticed_and_a_long_one_waits() {
    let bench = Bench::new().await;
    let throttled = Answer::Error(400, "ThrottlingException");
    bench.server.fail_next(&[throttled, Answer::Error(500, "KMSInternalException")]);
    let wrapped = bench.kms.wrap(&secret(), &of_day()).await.unwrap();
    bench.server.fail_next(&[throttled; 3]);
    assert!(matches!(bench.kms.unwrap(&wrapped).await, Err(WrapError::Unavailable { .. })));
    assert_eq!(bench.kms.unwrap(&wrapped).await.unwrap(), secret());
    assert_eq!(bench.kms.calls().throttled, 1);
}

#[tokio::test]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn a_server_that_never_answers_is_given_up_after_three_tries() {
    let bench = Bench::new().await;
    let wrapped = bench.kms.wrap(&secret(), &of_day()).await.unwrap();
    let before = bench.server.requests();
    bench.server.fail_next(&[Answer::Silence; 3]);
    let unwrapped = tokio::time::timeout(Duration::from_secs(20), bench.kms.unwrap(&wrapped)).await;
    assert!(matches!(unwrapped, Ok(Err(WrapError::Unavailable { .. }))), "{unwrapped:?}");
    assert!((2..=3).contains(&(bench.server.requests() - before)));
    assert_eq!(bench.kms.calls().unavailable, 1);
}

/// What the cache is for, counted: calls to KMS for a hundred units, each sealed to ten times by each of two processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs KMS: run by cargo xtask test"]
async fn a_unit_costs_one_call_to_make_one_to_take_up_and_one_to_wrap_anew() {
    const UNITS: u64 = 100;
    let mut bench = Bench::new().await;
    let (default_key, new) = (bench.kms.options.default_key.clone(), bench.new_key().await);
    let (folder, clock) = (TestFolder::new().await, HandClock::at(NOON) as Arc<dyn Clock>);
    let maker = Arc::new(std::mem::replace(&mut bench.kms, keys(&options(&bench.server.url))));
    bench.use_keys(&default_key, &new);
    let rotated = Arc::new(std::mem::replace(&mut bench.kms, keys(&options(&bench.server.url))));
    for (wrapper, expected) in [(&maker, (UNITS, 0)), (&rotated, (0, UNITS))] {
        let wrapper = Arc::clone(wrapper);
        let units = UnitKeys::new(folder.shared(), Arc::clone(&wrapper) as Arc<dyn KeyWrapper>, Arc::clone(&clock), CacheLimits::default());
        for _ in 0..10 {
            for person in 0..UNITS {
                units.for_sealing(&unit("acme", Some(&format!("p-{person}")))).await.unwrap();
            }
        }
        assert_eq!((wrapper.calls().encrypt, wrapper.calls().decrypt), expected);
    }
    let rewrapper = Rewrapper::new(folder.shared(), Arc::clone(&rotated) as Arc<dyn KeyProvider>);
    let report = rewrapper.rewrap_all(false, &mut |_| ()).await.unwrap();
    assert_eq!((report.rewrapped, report.failed.len()), (100, 0));
    assert_eq!((rotated.calls().reencrypt, rotated.calls().encrypt), (UNITS, 0));
    assert_eq!(rewrapper.rewrap_all(false, &mut |_| ()).await.unwrap().current, 100);
    assert_eq!(rotated.calls().reencrypt, UNITS, "a second run asks for nothing");
}
