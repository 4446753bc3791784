//! A small HTTP server that speaks for AWS: with given answers, or as AWS's rules in front of a server that wraps.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// An error of KMS: status and code.
    Error(u16, &'static str),
    /// A body.
    Body(&'static str),
    /// None: the connection is closed.
    HangUp,
    /// None, and the connection stays open.
    Silence,
}

/// Runs until it is dropped.
pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    last: Mutex<String>,
    faults: Mutex<Vec<Answer>>,
}

#[derive(Clone)]
enum Behaviour {
    Answers(Vec<Answer>),
    /// AWS's rules before a server that has none: a key that is disabled or pending deletion does nothing.
    Before(String),
}

impl Server {
    /// Gives these answers in turn; the last one for ever.
    pub(super) async fn answering(answers: Vec<Answer>) -> Self {
        Self::start(Behaviour::Answers(answers)).await
    }

    /// Hands on to the server at this address.
    pub(super) async fn before(address: &str) -> Self {
        Self::start(Behaviour::Before(address.to_owned())).await
    }

    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour.clone(), Arc::clone(&shared)));
            }
        });
        Self { url, seen, task }
    }

    pub(super) fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::Relaxed)
    }

    /// The last request.
    pub(super) fn asked(&self) -> String {
        self.seen.last.lock().unwrap().clone()
    }

    /// Answers the next requests itself.
    pub(super) fn fail_next(&self, faults: &[Answer]) {
        self.seen.faults.lock().unwrap().extend(faults.iter().rev());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, seen: Arc<Seen>) {
    let Some(request) = read(&mut stream).await else { return };
    let before = seen.requests.fetch_add(1, Ordering::Relaxed);
    let text = String::from_utf8_lossy(&request).into_owned();
    *seen.last.lock().unwrap() = text.clone();
    let fault = seen.faults.lock().unwrap().pop();
    let answer = match (fault, &behaviour) {
        (Some(fault), _) => Some(fault),
        (None, Behaviour::Answers(answers)) => answers.get(before).or(answers.last()).copied(),
        (None, Behaviour::Before(address)) => refusal(address, &text).await,
    };
    if matches!(answer, Some(Answer::Silence)) {
        return std::future::pending().await;
    }
    let bytes = match (answer, behaviour) {
        (Some(answer), _) => answer.bytes(),
        (None, Behaviour::Before(address)) => ask(&address, &request).await,
        (None, Behaviour::Answers(_)) => Vec::new(),
    };
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

impl Answer {
    fn bytes(self) -> Vec<u8> {
        let (status, body) = match self {
            Self::Error(status, code) => (status, format!(r#"{{"__type": "{code}", "message": "no"}}"#)),
            Self::Body(body) => (200, body.to_owned()),
            Self::HangUp | Self::Silence => return Vec::new(),
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// One request: its head and as much body as the head says.
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let mut part = vec![0; 16 << 10];
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        if request.len() >= end + 4 + length.unwrap_or(0) {
            return Some(request);
        }
    }
}

/// Asks another server, once for each connection.
async fn ask(address: &str, request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(request.to_vec()).unwrap();
    let request = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let mut answer = Vec::new();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

/// What AWS answers where a key that the request names is not enabled.
async fn refusal(address: &str, request: &str) -> Option<Answer> {
    let (_, body) = request.split_once("\r\n\r\n")?;
    let does_something = ["Encrypt", "Decrypt", "ReEncrypt"].iter().any(|name| request.contains(&format!("TrentService.{name}\r\n")));
    let body: Value = serde_json::from_str(body).ok().filter(|_| does_something)?;
    for key in ["KeyId", "SourceKeyId", "DestinationKeyId"].iter().filter_map(|name| body.get(name)?.as_str()) {
        match state(address, request, key).await.as_str() {
            "Disabled" => return Some(Answer::Error(400, "DisabledException")),
            "PendingDeletion" => return Some(Answer::Error(400, "KMSInvalidStateException")),
            _ => {}
        }
    }
    None
}

async fn state(address: &str, request: &str, key: &str) -> String {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let body = format!(r#"{{"KeyId": "{key}"}}"#);
    let lines = head.lines().map(|line| match line.split_once(": ") {
        Some((name, _)) if name.eq_ignore_ascii_case("x-amz-target") => "x-amz-target: TrentService.DescribeKey".to_owned(),
        Some((name, _)) if name.eq_ignore_ascii_case("content-length") => format!("content-length: {}", body.len()),
        _ => line.to_owned(),
    });
    let request = format!("{}\r\n\r\n{body}", lines.collect::<Vec<_>>().join("\r\n"));
    let answer = String::from_utf8(ask(address, request.as_bytes()).await).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let described: Value = serde_json::from_str(body).unwrap_or_default();
    described.pointer("/KeyMetadata/KeyState").and_then(Value::as_str).unwrap_or_default().to_owned()
}
