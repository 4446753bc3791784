//! Lakes for tests: one in a folder that goes away, one under a random prefix of the S3 store that the environment names.

use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use crate::{LakeRoot, S3Options};

/// A lake of a test's own.
pub(crate) struct TestLake {
    pub(crate) root: LakeRoot,
    _folder: Option<TempDir>,
}

impl TestLake {
    pub(crate) fn in_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { root: LakeRoot::folder(folder.path()), _folder: Some(folder) }
    }

    /// Credentials stand in the environment and are read by the store itself.
    #[expect(clippy::disallowed_methods, reason = "tests on S3 share a bucket, so each needs a prefix that no run had before")]
    pub(crate) fn on_s3() -> Self {
        let given = |name: &str| std::env::var_os(name).and_then(|text| text.into_string().ok());
        let endpoint = given("CUSTODY_TEST_S3_ENDPOINT").expect("CUSTODY_TEST_S3_ENDPOINT is set: `cargo xtask test` does");
        let bucket = given("CUSTODY_TEST_S3_BUCKET").expect("CUSTODY_TEST_S3_BUCKET is set");
        let options = S3Options { endpoint: Some(Url::parse(&endpoint).unwrap()), region: None };
        let root = LakeRoot::parse(&format!("s3://{bucket}/lake-tests/{}", Uuid::new_v4()), options).unwrap();
        Self { root, _folder: None }
    }
}

/// Runs one test body on both.
macro_rules! on_folder_and_s3 {
    ($($body:ident),+ $(,)?) => {$(
        mod $body {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_folder() {
                super::$body(&$crate::testing::TestLake::in_folder().root).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs S3: run by cargo xtask test"]
            async fn on_s3() {
                super::$body(&$crate::testing::TestLake::on_s3().root).await;
            }
        }
    )+};
}

pub(crate) use on_folder_and_s3;
