//! A gateway on a free port, with the example workspace and a journal on a simulated disk.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_dialect::{ChatAnswer, Delta, StreamEvent, ToolCall};
use custody_event::{Decoder, Event, Kind};
use custody_log::{Journal, JournalConfig, LogReader, OpenReport};
use custody_model::{AnswerFacts, Model, ModelAnswer, ModelCall, ModelError, ModelStream, Provider, Simulator};
use custody_testkit::disk::SimDisk;
use custody_types::{JournalId, LogPosition, SensitiveText};
use futures::stream;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::client::{self, Seen};
use crate::{
    BuildGatewayError, ContentOutlet, Gateway, GatewayConfig, Recorder, SystemClock, SystemIds, Workspace, workspace::write_example,
};

pub(super) struct Harness {
    pub(super) gateway: Gateway,
    pub(super) address: SocketAddr,
    pub(super) acme: String,
    pub(super) globex: String,
    pub(super) disk: SimDisk,
    pub(super) journal: Journal,
    pub(super) model: Arc<CountingModel>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// The simulator, which counts its calls and keeps the last one.
#[derive(Debug, Default)]
pub(super) struct CountingModel {
    pub(super) calls: AtomicUsize,
    pub(super) last: Mutex<Option<ModelCall>>,
    pub(super) panics: AtomicBool,
    /// Streams are longer than all buffers on the way to the caller.
    pub(super) is_wordy: AtomicBool,
    /// What it answers, and calls a tool with.
    pub(super) says: Mutex<Option<(String, String)>>,
}

#[async_trait]
impl Model for CountingModel {
    fn provider(&self) -> Provider {
        Provider::Simulator
    }

    async fn call(&self, call: ModelCall) -> Result<ModelAnswer, ModelError> {
        self.note(&call);
        let mut answer = Simulator.call(call).await?;
        self.put_words(&mut answer.answer);
        Ok(answer)
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        self.note(&call);
        if self.is_wordy.load(Ordering::SeqCst) {
            let piece = Delta { text: Some(SensitiveText::new("word ".repeat(20_000))), ..Delta::default() };
            let pieces = (0..1_000).map(move |_| Ok(vec![StreamEvent::Delta(piece.clone())]));
            return Ok(ModelStream::new(AnswerFacts { http_status: 200, provider_request_id: None }, stream::iter(pieces)));
        }
        if self.says.lock().unwrap().is_none() {
            return Simulator.stream(call).await;
        }
        let ModelAnswer { mut answer, facts } = Simulator.call(call).await?;
        self.put_words(&mut answer);
        let usage = answer.usage.clone().map(StreamEvent::Usage);
        let events: Vec<_> = answer.deltas().into_iter().map(StreamEvent::Delta).chain(usage).chain([StreamEvent::Done]).collect();
        Ok(ModelStream::new(facts, stream::iter([Ok(events)])))
    }
}

impl CountingModel {
    fn note(&self, call: &ModelCall) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        *self.last.lock().unwrap() = Some(call.clone());
        assert!(!self.panics.load(Ordering::SeqCst), "a model with a defect");
    }

    fn put_words(&self, answer: &mut ChatAnswer) {
        let Some((text, arguments)) = self.says.lock().unwrap().clone() else { return };
        answer.text = Some(SensitiveText::new(text));
        let call =
            ToolCall { id: SensitiveText::new("call_1"), name: SensitiveText::new("look_up"), arguments: SensitiveText::new(arguments) };
        answer.tool_calls = vec![call];
    }

    pub(super) fn count(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

pub(super) fn journal_config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 4 << 20,
        max_total_bytes: 64 << 20,
        ..JournalConfig::new(JournalId::from_uuid(uuid::Uuid::from_u128(7)))
    }
}

impl Harness {
    pub(super) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts with text replaced in workspace files: file, old, new.
    pub(super) async fn with(edits: &[(&str, &str, &str)]) -> Self {
        let disk = SimDisk::new();
        let (journal, _) = Journal::open(journal_config(), Arc::new(disk.clone())).unwrap();
        Self::on(disk, journal, edits).await
    }

    pub(super) async fn on(disk: SimDisk, journal: Journal, edits: &[(&str, &str, &str)]) -> Self {
        let recorder = Arc::new(journal.clone());
        Self::over(recorder, disk, journal, edits).await
    }

    pub(super) async fn over(recorder: Arc<dyn Recorder>, disk: SimDisk, journal: Journal, edits: &[(&str, &str, &str)]) -> Self {
        Self::keeping(recorder, disk, journal, edits, None).await
    }

    /// An edit without old text is a file of its own.
    pub(super) async fn keeping(
        recorder: Arc<dyn Recorder>,
        disk: SimDisk,
        journal: Journal,
        edits: &[(&str, &str, &str)],
        content: Option<ContentOutlet>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = write_example(folder.path()).unwrap();
        for (file, old, new) in edits {
            let path = folder.path().join(file);
            if old.is_empty() {
                std::fs::write(path, new).unwrap();
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(old), "{file} has no `{old}`");
            std::fs::write(path, text.replace(old, new)).unwrap();
        }
        let model = Arc::new(CountingModel::default());
        let gateway = build_keeping(folder.path(), recorder, &model, content).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = gateway.clone();
        let server = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            serving.serve(listener, shutdown).await.unwrap();
        });
        let token = |tenant: &str| keys.iter().find(|key| key.tenant.as_str() == tenant).unwrap().token.expose().to_owned();
        Self {
            gateway,
            address,
            acme: token("acme"),
            globex: token("globex"),
            disk,
            journal,
            model,
            stop: Some(stop),
            server,
            _folder: folder,
        }
    }

    pub(super) async fn send(&self, key: &str, headers: &[(&str, &str)], body: &str) -> Seen {
        let bearer = format!("Bearer {key}");
        let all: Vec<(&str, &str)> = [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        client::raw(self.address, &client::request("POST", "/v1/chat/completions", &all, body.as_bytes())).await
    }

    /// Any bytes with acme's key.
    pub(super) async fn send_bytes(&self, headers: &[(&str, &str)], body: &[u8]) -> Seen {
        let bearer = format!("Bearer {}", self.acme);
        let all: Vec<(&str, &str)> = [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        client::raw(self.address, &client::request("POST", "/v1/chat/completions", &all, body)).await
    }

    /// A chat of one user message with acme's key.
    pub(super) async fn chat(&self, capability: &str, text: &str) -> Seen {
        self.send(&self.acme, &[], &body(capability, text, "")).await
    }

    /// Any bytes to a path of the Bedrock front, with this key.
    pub(super) async fn bedrock(&self, key: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Seen {
        let bearer = format!("Bearer {key}");
        let all: Vec<(&str, &str)> = [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        client::raw(self.address, &client::request("POST", path, &all, body)).await
    }

    /// A whole answer for one user message with acme's key.
    pub(super) async fn converse(&self, capability: &str, text: &str) -> Seen {
        self.bedrock(&self.acme, &format!("/model/{capability}/converse"), &[], converse_body(text, "").as_bytes()).await
    }

    /// The same as a stream.
    pub(super) async fn converse_stream(&self, capability: &str, text: &str) -> Seen {
        self.bedrock(&self.acme, &format!("/model/{capability}/converse-stream"), &[], converse_body(text, "").as_bytes()).await
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        client::raw(self.address, &client::request("GET", path, headers, b"")).await
    }

    /// Everything durable so far.
    pub(super) async fn events(&self) -> Vec<Event> {
        events(&self.journal).await
    }

    /// Waits until the journal holds as many outcomes, then returns everything.
    pub(super) async fn events_after(&self, outcomes: usize) -> Vec<Event> {
        for _ in 0..500 {
            let events = self.events().await;
            if events.iter().filter(|event| matches!(event.kind, Kind::Outcome(_))).count() >= outcomes {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{outcomes} outcomes never came");
    }

    pub(super) async fn stop(mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        self.server.await.unwrap();
    }
}

/// A gateway over the workspace in a folder.
pub(super) fn build(folder: &Path, recorder: Arc<dyn Recorder>, model: &Arc<CountingModel>) -> Result<Gateway, BuildGatewayError> {
    build_keeping(folder, recorder, model, None)
}

fn build_keeping(
    folder: &Path,
    recorder: Arc<dyn Recorder>,
    model: &Arc<CountingModel>,
    content: Option<ContentOutlet>,
) -> Result<Gateway, BuildGatewayError> {
    let workspace = Arc::new(Workspace::load(folder).unwrap());
    let models = workspace.routes.keys().map(|route| (route.clone(), Arc::clone(model) as Arc<dyn Model>)).collect();
    let config = GatewayConfig { producer: "custody-test".into(), hash_key_file: folder.join(".hash-key"), more_metrics: None, content };
    Gateway::build(config, workspace, recorder, models, Arc::new(SystemClock::new()), Arc::new(SystemIds))
}

pub(super) async fn events(journal: &Journal) -> Vec<Event> {
    let decoder = Decoder::new(&[]);
    let mut reader = journal.reader(LogPosition::START);
    let mut events = Vec::new();
    loop {
        let records = reader.read(1 << 20, Duration::ZERO).await.unwrap();
        if records.is_empty() {
            return events;
        }
        events.extend(records.iter().map(|record| decoder.decode(&record.payload).unwrap()));
    }
}

pub(super) fn reopen(disk: &SimDisk) -> (Journal, OpenReport) {
    Journal::open(journal_config(), Arc::new(disk.clone())).unwrap()
}

/// A body with one user message; `more` is further JSON, beginning with a comma.
pub(super) fn body(capability: &str, text: &str, more: &str) -> String {
    format!("{{\"model\":\"{capability}\",\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]{more}}}")
}

/// A Converse body with one user message; `more` is further JSON, beginning with a comma.
pub(super) fn converse_body(text: &str, more: &str) -> String {
    format!("{{\"messages\":[{{\"role\":\"user\",\"content\":[{{\"text\":\"{text}\"}}]}}]{more}}}")
}

pub(super) fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.kind.name()).collect()
}

pub(super) fn outcome(events: &[Event]) -> &custody_event::Outcome {
    let found = events.iter().rev().find_map(|event| if let Kind::Outcome(outcome) = &event.kind { Some(outcome) } else { None });
    found.expect("an outcome")
}
