//! What goes with a call beside the conversation, and whom a server's certificate must come from. PATH-11, PAT-04, LOG-36.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use custody_dialect::{ChatRequest, Message, Role};
use custody_model::{CallLabels, ErrorKind, Model, ModelCall, OpenAiConfig};
use custody_testkit::upstream::Upstream;
use custody_types::SensitiveText;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

fn call(labels: Option<CallLabels>) -> ModelCall {
    let message = Message::text(Role::User, SensitiveText::new("hello"));
    let request = ChatRequest { messages: vec![message], ..ChatRequest::default() };
    ModelCall { request: Arc::new(request), model: "m".parse().unwrap(), end_user: None, labels, request_id: "r-1".into() }
}

fn secrets(name: &str, value: &str) -> BTreeMap<String, SensitiveText> {
    BTreeMap::from([(name.to_owned(), SensitiveText::new(value))])
}

#[tokio::test]
async fn stated_headers_and_labels_go_with_every_call() {
    let upstream = Upstream::start().await.unwrap();
    let mut config = OpenAiConfig::new(upstream.base_url());
    config.headers.insert("x-team".to_owned(), "blue".to_owned());
    let model = config.build_with(None, &secrets("x-api-key", "s3cret\n")).unwrap();
    assert!(!format!("{model:?}").contains("s3cret"));
    model.call(call(None)).await.unwrap();
    let seen = upstream.last().unwrap().headers;
    assert_eq!(
        (&seen["x-team"], &seen["x-api-key"], &seen["x-request-id"]),
        (&"blue".parse().unwrap(), &"s3cret".parse().unwrap(), &"r-1".parse().unwrap())
    );
    assert!(!seen.keys().any(|name| name.as_str().starts_with("x-custody-")), "no label without being asked for");
    let labels =
        CallLabels { tenant: "t-hash".into(), feature: "help".into(), workflow: "line\nbreak".into(), capability: "support.answer".into() };
    drop(model.stream(call(Some(labels))).await.unwrap());
    let seen = upstream.last().unwrap().headers;
    let label = |name: &str| seen.get(name).map(|value| value.to_str().unwrap());
    assert_eq!((label("x-custody-tenant"), label("x-custody-feature")), (Some("t-hash"), Some("help")));
    assert_eq!(
        (label("x-custody-workflow"), label("x-custody-capability")),
        (None, Some("support.answer")),
        "one that can't be sent is left out"
    );
    assert_eq!(seen["x-team"], "blue");
}

#[test]
fn a_header_can_not_speak_for_the_protocol() {
    let config = OpenAiConfig::new("http://127.0.0.1:1/v1");
    let taken =
        ["authorization", "host", "content-type", "content-length", "connection", "transfer-encoding", "x-custody-tenant", "proxy-x"];
    for name in taken.into_iter().chain(["X-Upper", "two words", "", "x:y", "x-é"]) {
        let plain = OpenAiConfig { headers: BTreeMap::from([(name.to_owned(), "x".to_owned())]), ..config.clone() };
        assert_eq!(plain.build(None).unwrap_err().mistakes.len(), 1, "{name}");
        assert_eq!(config.build_with(None, &secrets(name, "x")).unwrap_err().mistakes.len(), 1, "{name}");
    }
    for value in ["", " ", "a\r\nhost: evil", "é", &"x".repeat(1025)] {
        let error = config.build_with(None, &secrets("x-api-key", value)).unwrap_err();
        assert!(!error.to_string().contains("evil"), "{error}");
    }
}

fn pem(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A server with a certificate of the test authority, which says one answer to every connection.
async fn tls_server() -> String {
    let certificate = CertificateDer::from_pem_file(pem("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(pem("server.key.pem")).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    let body = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"over TLS"},"finish_reason":"stop"}]}"#;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    base_url
}

#[tokio::test]
async fn only_the_stated_authority_is_trusted() {
    let base_url = tls_server().await;
    let trusting = |file: Option<&str>| {
        let mut config = OpenAiConfig::new(base_url.clone());
        config.ca_file = file.map(pem);
        config.build(None).unwrap()
    };
    let answer = trusting(Some("authority.pem")).call(call(None)).await.unwrap();
    assert_eq!(answer.answer.text.unwrap().expose(), "over TLS");
    for file in [Some("another_authority.pem"), None] {
        let refused = trusting(file).call(call(None)).await.unwrap_err();
        assert_eq!((refused.kind, refused.may_be_charged()), (ErrorKind::ConnectFailed, false), "{file:?}");
    }
}

#[test]
fn a_ca_file_that_says_nothing_is_a_mistake() {
    let mistake = |base_url: &str, file: &str| {
        let mut config = OpenAiConfig::new(base_url);
        config.ca_file = Some(pem(file));
        config.build(None).unwrap_err().to_string()
    };
    assert!(mistake("https://localhost:1/v1", "missing.pem").contains("can't be read"));
    assert!(mistake("https://localhost:1/v1", "server.key.pem").contains("has no certificate"));
    assert!(mistake("http://localhost:1/v1", "authority.pem").contains("without TLS"));
}
