//! Against answers as AWS gives them, and (`on_kms`) against a server that wraps.

mod deletion;
mod on_kms;
mod server;

use std::collections::BTreeMap;

use aws_sdk_kms::config::{BehaviorVersion, Builder, Credentials, Region};
use custody_seal::{edge::EdgeDay, wrap::WrapSubject};
use custody_types::{Fault, Retry};

use self::server::{Answer, Server};
use super::*;
use crate::testing::{NOON, unit};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn options(endpoint: &str) -> KmsOptions {
    let endpoint = Some(endpoint.parse().unwrap());
    KmsOptions { default_key: KEY.to_owned(), tenants: BTreeMap::new(), region: Some("eu-central-1".to_owned()), endpoint }
}

fn keys(options: &KmsOptions) -> KmsKeys {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = Builder::new().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-central-1"));
    let address = options.endpoint.as_ref().unwrap().as_str();
    KmsKeys::over(options::client_of(config.credentials_provider(credentials), address), options)
}

fn of_unit(tenant: &str) -> WrapContext {
    WrapContext { key: [7; 16], subject: WrapSubject::Unit(unit(tenant, Some("p-1"))) }
}

fn of_day() -> WrapContext {
    WrapContext { key: [8; 16], subject: WrapSubject::EdgeKey { day: EdgeDay::of(NOON) } }
}

fn secret() -> SecretKey {
    SecretKey::from_bytes(&[9; 32])
}

fn wrapped() -> WrappedKey {
    WrappedKey::new(KEY.parse().unwrap(), of_day(), vec![1; 100]).unwrap()
}

#[tokio::test]
async fn what_can_not_help_is_not_tried_again_and_is_told_apart() {
    let cases = [
        ("AccessDeniedException", WrapError::Refused),
        ("InvalidGrantTokenException", WrapError::Refused),
        ("NotFoundException", WrapError::UnknownKey),
        ("DisabledException", WrapError::UnknownKey),
        ("KMSInvalidStateException", WrapError::UnknownKey),
        ("InvalidCiphertextException", WrapError::NotAuthentic),
        ("IncorrectKeyException", WrapError::NotAuthentic),
    ];
    for (code, error) in cases {
        let server = Server::answering(vec![Answer::Error(400, code)]).await;
        let kms = keys(&options(&server.url));
        assert_eq!(kms.unwrap(&wrapped()).await.unwrap_err(), error, "{code}");
        assert_eq!(error.retry(), Retry::Never);
        assert_eq!(server.requests(), 1, "{code}");
        assert_eq!((kms.calls().decrypt, kms.calls().refused), (1, 1));
    }
}

#[tokio::test]
async fn throttling_and_outages_are_tried_three_times_and_then_wait() {
    let cases = [(400, "ThrottlingException"), (500, "KMSInternalException"), (503, "DependencyTimeoutException"), (502, "BadGateway")];
    for (status, code) in cases {
        let server = Server::answering(vec![Answer::Error(status, code)]).await;
        let kms = keys(&options(&server.url));
        let error = kms.wrap(&secret(), &of_unit("acme")).await.unwrap_err();
        assert!(matches!(error, WrapError::Unavailable { .. }), "{code}: {error:?}");
        assert_eq!(server.requests(), 3, "{code}");
        let KeyCalls { encrypt, throttled, unavailable, refused, .. } = kms.calls();
        let expected = if code == "ThrottlingException" { (1, 1, 0, 0) } else { (1, 0, 1, 0) };
        assert_eq!((encrypt, throttled, unavailable, refused), expected, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_or_hangs_up_is_away_and_refuses_nothing() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::answering(vec![Answer::HangUp]).await;
    for url in [format!("http://{gone}"), server.url.clone()] {
        let kms = keys(&options(&url));
        let error = kms.unwrap(&wrapped()).await.unwrap_err();
        assert!(matches!(error, WrapError::Unavailable { .. }), "{error:?}");
        assert_eq!(kms.calls().unavailable, 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_key_is_refused() {
    let cases = [r#"{"Plaintext": "", "KeyId": "k"}"#, r#"{"Plaintext": "AAAA", "KeyId": "k"}"#, r#"{"KeyId": "k"}"#];
    for body in cases {
        let server = Server::answering(vec![Answer::Body(body)]).await;
        assert_eq!(keys(&options(&server.url)).unwrap(&wrapped()).await.unwrap_err(), WrapError::NotAuthentic, "{body}");
    }
    let server = Server::answering(vec![Answer::Body(r#"{"KeyId": "k"}"#)]).await;
    assert_eq!(keys(&options(&server.url)).wrap(&secret(), &of_day()).await.unwrap_err(), WrapError::NotAuthentic);
}

#[tokio::test]
async fn no_name_of_a_person_leaves_in_a_request() {
    let server = Server::answering(vec![Answer::Body(r#"{"KeyId": "k", "CiphertextBlob": "AAAA"}"#)]).await;
    keys(&options(&server.url)).wrap(&secret(), &of_unit("acme")).await.unwrap();
    let asked = server.asked();
    assert!(asked.contains("TrentService.Encrypt") && asked.contains("custody:tenant") && asked.contains("acme"), "{asked}");
    assert!(!asked.contains("p-1"), "{asked}");
}

#[test]
fn a_tenant_has_its_own_key_or_the_default_one() {
    let mut options = options("http://127.0.0.1:1");
    options.tenants.insert("acme".parse().unwrap(), "alias/acme".to_owned());
    assert_eq!(options.key_of(Some(&"acme".parse().unwrap())), "alias/acme");
    assert_eq!(options.key_of(Some(&"other".parse().unwrap())), KEY);
    assert_eq!(options.key_of(None), KEY);
}

#[test]
fn what_makes_no_sense_is_said_before_anything_is_asked() {
    assert!(options("https://kms.example").check().is_ok());
    for endpoint in ["http://kms.example", "http://10.0.0.1:80", "ftp://127.0.0.1", "https://user:secret@kms.example"] {
        let told = options(endpoint).check().unwrap_err().to_string();
        assert!(!told.contains("secret"), "{told}");
    }
    for key in ["", "two words"] {
        assert!(KmsOptions { default_key: key.to_owned(), ..options("https://kms.example") }.check().is_err(), "{key}");
    }
}
