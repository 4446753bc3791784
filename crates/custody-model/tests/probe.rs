//! How a server says it is, over real HTTP: up, down, refusing, talking garbage, slow, endless. PAT-04.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use custody_model::{Capacity, OpenAiCompatible, OpenAiConfig, ProbeError};
use custody_types::SensitiveText;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

const SOON: Duration = Duration::from_millis(400);

/// A server that keeps what it was asked, says what it is told, and then keeps the connection open.
async fn server(says: Vec<u8>) -> (OpenAiCompatible, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    let (heard, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let read = socket.read(&mut buffer).await.unwrap_or(0);
            let _ = heard.send(String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()).into_owned());
            let _ = socket.write_all(&says).await;
            kept.push(socket);
        }
    });
    let mut config = OpenAiConfig::new(base_url);
    config.headers.insert("x-team".to_owned(), "blue".to_owned());
    (config.build(Some(&SensitiveText::new("sk-probe"))).unwrap(), asked)
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn a_server_that_is_up_lists_what_it_serves() {
    let list = r#"{"object":"list","data":[{"id":"base","object":"model","max_model_len":8192},{"id":"tuned:latest"}]}"#;
    let (model, mut asked) = server(answer(200, list)).await;
    let listed = model.list_models(SOON).await.unwrap();
    assert!(listed.serves("base") && listed.serves("tuned") && listed.serves("tuned:latest"));
    assert!(!listed.serves("bas") && !listed.serves("tuned:7b") && !listed.serves(""));
    let asked = asked.recv().await.unwrap();
    assert!(asked.starts_with("GET /api/v1/models HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Bearer sk-probe\r\n") && asked.contains("x-team: blue\r\n"), "{asked}");
    for none in [r#"{"data":null}"#, r#"{"data":[]}"#] {
        assert!(!server(answer(200, none)).await.0.list_models(SOON).await.unwrap().serves("base"));
    }
}

#[tokio::test]
async fn each_way_of_not_being_well_is_told_apart() {
    let endless = format!("HTTP/1.1 200 x\r\nconnection: close\r\n\r\n{{\"data\":[{}", " ".repeat(2 << 20)).into_bytes();
    let boasting = b"HTTP/1.1 200 x\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    let cases = [
        (answer(200, "<html>it works</html>"), ProbeError::Garbage, false),
        (answer(200, r#"{"data":[{"name":"no id"}]}"#), ProbeError::Garbage, false),
        (answer(404, "{}"), ProbeError::Refused(404), false),
        (answer(307, ""), ProbeError::Refused(307), false),
        (answer(503, "{}"), ProbeError::Refused(503), true),
        (endless, ProbeError::TooLarge, false),
        (boasting, ProbeError::TimedOut, true),
        (b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n{\"data\"".to_vec(), ProbeError::TimedOut, true),
        (Vec::new(), ProbeError::TimedOut, true),
        (b"SSH-2.0-canary\r\n".to_vec(), ProbeError::Unreachable, true),
    ];
    for (says, expected, down) in cases {
        let (model, _asked) = server(says).await;
        let found = model.list_models(SOON).await.unwrap_err();
        assert_eq!((found, found.is_down()), (expected, down));
        assert_eq!(model.capacity(SOON).await.unwrap_err(), expected, "the same for the figures");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = OpenAiConfig::new(format!("http://{closed}/v1")).build(None).unwrap();
    assert_eq!(nobody.list_models(SOON).await.unwrap_err(), ProbeError::Unreachable);
}

#[tokio::test]
async fn a_server_that_says_so_tells_how_busy_it_is() {
    let page = "vllm:num_requests_running{model_name=\"m\"} 3.0\nvllm:num_requests_waiting{model_name=\"m\"} 12.0\n\
        vllm:kv_cache_usage_perc{model_name=\"m\"} 0.75\n";
    let (model, mut asked) = server(answer(200, page)).await;
    let expected = Capacity { running: Some(3.0), waiting: Some(12.0), cache_usage: Some(0.75) };
    assert_eq!(model.capacity(SOON).await.unwrap(), expected);
    let asked = asked.recv().await.unwrap();
    assert!(asked.starts_with("GET /metrics HTTP/1.1\r\n"), "{asked}");
    let (other, _asked) = server(answer(200, "go_goroutines 7\n")).await;
    assert_eq!(other.capacity(SOON).await.unwrap_err(), ProbeError::Garbage);
}
