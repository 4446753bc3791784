//! Questions to a stub over real HTTP: what is seen, what is news, and what stands at `/metrics`. PAT-04.

use std::sync::Mutex;

use custody_model::ProbeError;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{change::Reach, *};
use crate::{SystemClock, workspace::write_example};

const BOTH: &str = r#"{"data":[{"id":"local-model"},{"id":"tuned"}]}"#;
const ONE: &str = r#"{"data":[{"id":"tuned"}]}"#;
const BUSY: &str = "vllm:num_requests_running 3\nvllm:num_requests_waiting 12\nvllm:kv_cache_usage_perc 0.75\n";

/// A server that says the same to everyone until it is told otherwise.
struct Stub {
    base_url: String,
    list: Arc<Mutex<Vec<u8>>>,
    figures: Arc<Mutex<Vec<u8>>>,
}

impl Stub {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (list, figures) = (Arc::new(Mutex::new(answer(200, BOTH))), Arc::new(Mutex::new(answer(200, BUSY))));
        let (says_list, says_figures) = (Arc::clone(&list), Arc::clone(&figures));
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                let read = socket.read(&mut buffer).await.unwrap_or(0);
                let says = if buffer[..read].starts_with(b"GET /metrics ") { &says_figures } else { &says_list };
                let says = says.lock().unwrap().clone();
                let _ = socket.write_all(&says).await;
                kept.push(socket);
            }
        });
        Self { base_url, list, figures }
    }

    fn lists(&self, says: Vec<u8>) {
        *self.list.lock().unwrap() = says;
    }

    fn shows(&self, says: Vec<u8>) {
        *self.figures.lock().unwrap() = says;
    }
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

/// The example with its local server at the stub, a second route to it, and these keys.
fn workspace(base_url: &str, keys: &str) -> Workspace {
    let folder = tempfile::tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let main = folder.path().join("custody.toml");
    let text = std::fs::read_to_string(&main).unwrap();
    let text = text
        .replace("http://127.0.0.1:8000/v1", base_url)
        .replace("kind = \"openai_compatible\"\n", &format!("kind = \"openai_compatible\"\n{keys}\n"));
    let route = "\n[routes.\"local.tuned\"]\nprovider = \"local\"\nmodel = \"tuned\"\ndata_class_ceiling = \"internal\"\n";
    std::fs::write(&main, text + route).unwrap();
    Workspace::load(folder.path()).unwrap()
}

/// The question without its task, in little time.
fn probe(workspace: &Workspace) -> Probe {
    let (provider, (server, rule)) = probed(workspace).into_iter().next().unwrap();
    let routes = routes_of(workspace, &provider);
    let server = models::openai(workspace, server, &|_: &SecretReference| Err("no secret".to_owned())).unwrap();
    let clock = Arc::new(SystemClock::new());
    Probe { provider, server, rule, patience: Duration::from_millis(300), routes, seen: Arc::default(), clock }
}

fn shown(probe: &Probe) -> String {
    figures::of(&Health::from([(probe.provider.clone(), Arc::clone(&probe.seen))]))
}

fn listed(route: &str, listed: bool) -> Change {
    Change::Listed(route.parse().unwrap(), listed)
}

#[tokio::test]
async fn what_is_well_is_seen_and_is_no_news() {
    let stub = Stub::start().await;
    let probe = probe(&workspace(&stub.base_url, "probe = true\ncapacity_metrics = true"));
    assert!(shown(&probe).is_empty() && !probe.seen.is_down(), "nothing is known before the first answer");
    assert_eq!(probe.news().await, []);
    let text = shown(&probe);
    for line in [
        "# TYPE custody_provider_reachable gauge\ncustody_provider_reachable{provider=\"local\"} 1\n",
        "custody_provider_route_listed{provider=\"local\",route=\"local.model\"} 1\n",
        "custody_provider_route_listed{provider=\"local\",route=\"local.tuned\"} 1\n",
        "custody_provider_requests_running{provider=\"local\"} 3\n",
        "custody_provider_requests_waiting{provider=\"local\"} 12\n",
        "custody_provider_cache_usage_ratio{provider=\"local\"} 0.75\n",
        "custody_provider_probe_seconds{provider=\"local\"} 0.",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("failures"), "{text}");
}

#[tokio::test]
async fn a_model_that_is_not_listed_is_news_once() {
    let stub = Stub::start().await;
    let probe = probe(&workspace(&stub.base_url, "probe = true"));
    stub.lists(answer(200, ONE));
    assert_eq!(probe.news().await, [listed("local.model", false)]);
    assert_eq!(probe.news().await, []);
    assert!(shown(&probe).contains("route=\"local.model\"} 0\n") && shown(&probe).contains("route=\"local.tuned\"} 1\n"));
    stub.lists(answer(503, "{}"));
    assert_eq!(probe.news().await, [Change::Reach(Reach::Away, Some(ProbeError::Refused(503)))]);
    assert!(!shown(&probe).contains("route="), "what an absent server lists is not known");
    stub.lists(answer(200, ONE));
    assert_eq!(probe.news().await, [Change::Reach(Reach::Listing, None)], "the model was told before");
    stub.lists(answer(200, BOTH));
    assert_eq!(probe.news().await, [listed("local.model", true)]);
}

#[tokio::test]
async fn each_way_of_not_being_well_is_counted_and_news_once() {
    let stub = Stub::start().await;
    let probe = probe(&workspace(&stub.base_url, "probe = true\ncapacity_metrics = true"));
    let huge = format!("HTTP/1.1 200 x\r\nconnection: close\r\n\r\n{{\"data\":[{}", " ".repeat(2 << 20)).into_bytes();
    let mute = |error| [Change::Reach(Reach::Mute, Some(error))];
    stub.lists(answer(200, "garbage"));
    assert_eq!(probe.news().await, mute(ProbeError::Garbage));
    assert!(!probe.seen.is_down(), "it may serve calls");
    stub.lists(huge);
    assert_eq!(probe.news().await, [], "another reason for the same is no news");
    stub.lists(Vec::new());
    assert_eq!(probe.news().await, [Change::Reach(Reach::Away, Some(ProbeError::TimedOut))]);
    assert!(probe.seen.is_down());
    assert_eq!(probe.news().await, []);
    let text = shown(&probe);
    for line in [
        "custody_provider_reachable{provider=\"local\"} 0\n",
        "custody_provider_probe_failures_total{provider=\"local\",about=\"models\",reason=\"garbage\"} 1\n",
        "custody_provider_probe_failures_total{provider=\"local\",about=\"models\",reason=\"too_large\"} 1\n",
        "custody_provider_probe_failures_total{provider=\"local\",about=\"models\",reason=\"timed_out\"} 2\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("requests_running"), "how busy it was is not known any more: {text}");
    stub.lists(answer(200, BOTH));
    assert_eq!(probe.news().await, [Change::Reach(Reach::Listing, None)]);
    assert!(!probe.seen.is_down() && shown(&probe).contains("requests_running"));
}

#[tokio::test]
async fn a_server_that_stops_telling_how_busy_it_is_stays_up() {
    let stub = Stub::start().await;
    let probe = probe(&workspace(&stub.base_url, "probe = true\ncapacity_metrics = true"));
    stub.shows(answer(404, "{}"));
    assert_eq!(probe.news().await, [Change::Capacity(Some(ProbeError::Refused(404)))]);
    assert_eq!(probe.news().await, []);
    let text = shown(&probe);
    assert!(text.contains("about=\"capacity\",reason=\"refused\"} 2\n") && text.contains("reachable{provider=\"local\"} 1\n"), "{text}");
    stub.shows(answer(200, BUSY));
    assert_eq!(probe.news().await, [Change::Capacity(None)]);
}

#[tokio::test]
async fn providers_are_asked_in_the_background_until_they_are_not() {
    let stub = Stub::start().await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let no_secret = |_: &SecretReference| Err("no secret".to_owned());
    let probes = Probes::start(&workspace(&stub.base_url, "probe = true\nprobe_seconds = 1"), &clock, no_secret).unwrap();
    let metrics = probes.beside(Arc::new(|| "custody_other 1\n".to_owned()));
    until(|| metrics().contains("custody_provider_reachable{provider=\"local\"} 1\n")).await;
    assert!(metrics().starts_with("custody_other 1\n") && !metrics().contains("requests_running"));
    stub.lists(answer(500, "{}"));
    until(|| metrics().contains("custody_provider_reachable{provider=\"local\"} 0\n")).await;
    probes.stop().await;
    let failures = metrics();
    stub.lists(answer(200, BOTH));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(metrics(), failures, "nothing is asked any more");
    let unasked = Probes::start(&workspace(&stub.base_url, ""), &clock, no_secret).unwrap();
    assert!(unasked.tasks.is_empty() && unasked.beside(Arc::new(String::new))().is_empty());
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_told_at_the_start() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let keys = "probe = true\nheader_env = { x-api-key = \"VLLM_KEY\" }";
    let missing = |_: &SecretReference| Err("environment variable `VLLM_KEY` is not set".to_owned());
    let error = Probes::start(&workspace("http://127.0.0.1:1/v1", keys), &clock, missing).err().unwrap();
    assert_eq!(error.to_string(), "provider `local`: environment variable `VLLM_KEY` is not set");
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never held");
}
