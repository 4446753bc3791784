use super::*;

fn with_endpoint(endpoint: &str) -> Result<LakeRoot, LakeRootError> {
    let options = S3Options { endpoint: Some(Url::parse(endpoint).unwrap()), ..S3Options::default() };
    LakeRoot::parse("s3://evidence/lake", options)
}

#[test]
fn a_place_is_a_folder_or_a_prefix_of_a_bucket() {
    for (text, shown) in [("lake", "lake"), ("/var/lake", "/var/lake"), ("s3://b", "s3://b"), ("s3://b/a/c/", "s3://b/a/c")] {
        let root = LakeRoot::parse(text, S3Options::default()).unwrap();
        assert_eq!((root.to_string(), root.is_s3()), (shown.to_owned(), text.starts_with("s3")));
    }
    assert_eq!(LakeRoot::from(Path::new("lake")), LakeRoot::folder("lake"));
}

#[test]
fn other_places_and_secrets_in_the_place_are_refused_and_not_repeated() {
    for text in ["", "gs://bucket/lake", "file:///lake", "s3://", "s3:///lake", "s3://key:hidden@b/lake", "s3://b/lake?token=hidden"] {
        let error = LakeRoot::parse(text, S3Options::default()).unwrap_err();
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}

/// Deleting the check lets evidence cross a network in the clear.
#[test]
fn an_unencrypted_store_is_asked_on_this_machine_only() {
    for allowed in ["https://store.example:9000", "http://127.0.0.1:8333", "http://localhost:8333", "http://[::1]:8333"] {
        assert!(with_endpoint(allowed).is_ok(), "{allowed}");
    }
    for refused in ["http://store.example", "http://10.0.0.1:8333", "http://localhost.example", "http://0.0.0.0:1"] {
        assert!(matches!(with_endpoint(refused), Err(LakeRootError::Unencrypted(_))), "{refused}");
    }
    for refused in ["ftp://127.0.0.1", "https://key:hidden@store.example", "https://store.example/?token=hidden"] {
        assert_eq!(with_endpoint(refused), Err(LakeRootError::Endpoint));
    }
}
