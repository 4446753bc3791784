//! The door over a socket: what is answered to whom.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use super::super::{Door, Pages};
use crate::reveal::{
    RevealCounter,
    tests::{REQUEST, whole_way},
};

struct Reveals(Option<Arc<RevealCounter>>);

#[async_trait]
impl Pages for Reveals {
    async fn why_not_ready(&self) -> Option<String> {
        None
    }

    async fn metrics(&self) -> String {
        String::new()
    }

    fn reveals(&self) -> Option<Arc<RevealCounter>> {
        self.0.clone()
    }
}

async fn open(counter: Option<RevealCounter>) -> (SocketAddr, watch::Sender<bool>) {
    let door = Door::open("127.0.0.1:0".parse().unwrap(), Arc::new(Reveals(counter.map(Arc::new)))).await.unwrap();
    let address = door.address().unwrap();
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(door.serve(stopping));
    (address, stop)
}

/// Status and body.
async fn ask(address: SocketAddr, line: &str, key: &str, body: &str) -> (u16, Value) {
    let head = format!(
        "{line} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body.trim()).unwrap_or(Value::String(body.to_owned())))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_shown_over_http_to_whom_may_see_it() {
    let stage = whole_way::stage().await;
    let (address, _stop) = open(Some(stage.counter().await)).await;
    let (rita, sue) = (stage.keys[0].expose(), stage.keys[1].expose());
    let code = |answer: &Value| answer["error"]["code"].as_str().unwrap_or_default().to_owned();
    let asked = |more: Value| {
        let mut body = json!({ "request_id": REQUEST, "reason": "case 7", "redacted": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    let refusals = [
        (rita, "{}".to_owned(), 400, "reveal_body_invalid"),
        (rita, "not json".to_owned(), 400, "reveal_body_invalid"),
        (rita, json!({ "request_id": REQUEST, "why": "x" }).to_string(), 400, "reveal_body_invalid"),
        (rita, asked(json!({ "part": "everything" })), 400, "reveal_body_invalid"),
        (rita, asked(json!({ "reason": "" })), 400, "reveal_reason_missing"),
        (rita, asked(json!({ "redacted": false })), 403, "reveal_not_permitted"),
        (rita, asked(json!({ "request_id": "019a0000-0000-7000-8000-00000000000f" })), 404, "reveal_nothing_here"),
        ("ck_none_none", asked(json!({})), 401, "invalid_api_key"),
    ];
    for (key, body, status, expected) in refusals {
        let (found, answer) = ask(address, "POST /v1/reveal", key, &body).await;
        assert_eq!((found, code(&answer).as_str()), (status, expected), "{answer}");
    }
    let (status, waits) = ask(address, "POST /v1/reveal", rita, &asked(json!({}))).await;
    let approval = waits["pending"]["approval_id"].as_str().unwrap_or_default().to_owned();
    assert_eq!((status, approval.len()), (202, 36), "{waits}");
    let (status, waiting) = ask(address, "GET /v1/reveal/pending", sue, "").await;
    assert_eq!((status, waiting["waiting"][0]["approval_id"].as_str()), (200, Some(approval.as_str())), "{waiting}");
    let naming = json!({ "approval_id": approval }).to_string();
    let (status, own) = ask(address, "POST /v1/reveal/approve", rita, &naming).await;
    assert_eq!((status, code(&own).as_str()), (403, "reveal_same_person"));
    assert_eq!(ask(address, "POST /v1/reveal/approve", sue, &naming).await, (200, json!({ "done": "approved" })));
    let (status, shown) = ask(address, "POST /v1/reveal", rita, &asked(json!({ "approval_id": approval }))).await;
    assert_eq!((status, shown["texts"][0]["text"].as_str()), (200, Some(whole_way::LEFT)), "{shown}");
    let (status, again) = ask(address, "POST /v1/reveal/withdraw", rita, &naming).await;
    assert_eq!((status, code(&again).as_str()), (403, "reveal_approval_used"));
    assert_eq!(ask(address, "GET /v1/reveal", rita, "").await.0, 404);
}

/// Where a service holds no reveals, the page does not exist.
#[tokio::test]
async fn without_reveals_there_is_no_such_page() {
    let (address, _stop) = open(None).await;
    assert_eq!(ask(address, "POST /v1/reveal", "ck_a_b", "{}").await.0, 404);
}
