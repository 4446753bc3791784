use uuid::Uuid;

use super::*;
use crate::{VaultRoot, objects::conformance, open_objects};

/// Credentials stand in the environment and are read by the store itself.
#[expect(clippy::disallowed_methods, reason = "tests on S3 share a bucket, so each needs a prefix that no run had before")]
fn prefix_of_a_test() -> VaultRoot {
    let given = |name: &str| std::env::var_os(name).and_then(|text| text.into_string().ok());
    let endpoint = given("CUSTODY_TEST_S3_ENDPOINT").expect("CUSTODY_TEST_S3_ENDPOINT is set: `cargo xtask test` does");
    let bucket = given("CUSTODY_TEST_S3_BUCKET").expect("CUSTODY_TEST_S3_BUCKET is set");
    let options = S3Options { endpoint: Some(Url::parse(&endpoint).unwrap()), region: None };
    VaultRoot::parse(&format!("s3://{bucket}/vault-tests/{}", Uuid::new_v4()), options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs S3: run by cargo xtask test"]
async fn a_prefix_on_s3_is_a_store() {
    let objects = open_objects(&prefix_of_a_test()).await.unwrap();
    conformance::holds_for(objects.as_ref()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs S3: run by cargo xtask test"]
async fn two_prefixes_on_s3_do_not_see_each_other() {
    let (one, other) = (open_objects(&prefix_of_a_test()).await.unwrap(), open_objects(&prefix_of_a_test()).await.unwrap());
    let name: ObjectName = "edge/1.key".parse().unwrap();
    one.put(&name, Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(other.get(&name).await.unwrap(), None);
    assert!(other.list(&"edge".parse().unwrap()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_asked_again_later() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = S3Options { endpoint: Some(format!("http://{nobody}").parse().unwrap()), region: Some("eu-central-1".to_owned()) };
    let builder = AmazonS3Builder::new()
        .with_bucket_name("b")
        .with_access_key_id("x")
        .with_secret_access_key("y")
        .with_allow_http(true)
        .with_endpoint(options.endpoint.as_ref().map(address).unwrap())
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() });
    let objects = S3Objects { store: Arc::new(builder.build().unwrap()), prefix: "p".to_owned() };
    let error = objects.get(&"edge/1.key".parse().unwrap()).await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
}

#[test]
fn a_name_below_the_prefix_comes_back_as_it_went() {
    let store = AmazonS3Builder::new().with_bucket_name("b").build().unwrap();
    for prefix in ["", "p", "p/q"] {
        let objects = S3Objects { store: Arc::new(store.clone()), prefix: prefix.to_owned() };
        let name: ObjectName = "units/a=b/!_/q/24322/x.key".parse().unwrap();
        assert_eq!(objects.name(&objects.path(&name).unwrap()), Some(name));
    }
}
