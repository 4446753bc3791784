//! A data folder whose trail is written by hand: what no simulator gives, such as attempts at Bedrock, as the real log would have it.

use std::{
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use custody_event::{Cost, Encoder, Envelope, Event, Invocation, Kind, Request, Route};
use custody_log::{FileDisk, Journal, JournalConfig};
use custody_types::{JournalId, Text, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::{Up, custody};

/// 2026-11-20T10:00:00Z.
const START: i64 = 1_795_168_800_000_000;
const SECOND: i64 = 1_000_000;

/// One attempt and its costs.
pub struct Told {
    pub invocation: Invocation,
    pub costs: Vec<Cost>,
}

/// Events by hand; request `number` begins `number` seconds after the start.
#[derive(Default)]
pub struct Trail {
    events: Vec<Event>,
}

impl Trail {
    pub fn request(&mut self, number: i64, tenant: &str, attempts: Vec<Told>) {
        let begun = START + number * SECOND;
        let envelope = Envelope {
            request_id: Some(text(&request_id(number))),
            tenant: text(tenant),
            principal: text("svc"),
            capability: Some(text("support.answer")),
            feature: Some(text("support")),
            workflow: Some(text("tickets")),
            environment: text("test"),
            policy_hash: text("p"),
            config_hash: text("c"),
            api_key_id: Some(text("key-1")),
            producer: text("custody/test"),
            ..Envelope::default()
        };
        let envelope = Arc::new(envelope);
        let request = Request { dialect: text("openai"), operation: text("chat"), decision: text("allow"), ..Request::default() };
        self.push(&envelope, begun, Kind::Request(request));
        for told in attempts {
            let Told { invocation, costs } = told;
            let route = Route {
                attempt: invocation.attempt,
                decision: text("allow"),
                chosen: Some(invocation.route.clone()),
                provider: Some(invocation.provider.clone()),
                region: Some(text("eu-central-1")),
                ..Route::default()
            };
            self.push(&envelope, begun, Kind::Route(route));
            let started_at = Some(Timestamp::from_micros(begun + i64::from(invocation.attempt)));
            self.push(&envelope, begun + 1000, Kind::Invocation(Invocation { started_at, ..invocation }));
            costs.into_iter().for_each(|cost| self.push(&envelope, begun + 1000, Kind::Cost(cost)));
        }
    }

    /// A route that was denied after the attempts of a request: its number is of an attempt that never was.
    pub fn withheld(&mut self, attempt: i32) {
        let last = self.events.last().unwrap();
        let (envelope, time) = (Arc::clone(&last.envelope), last.time.micros() + 1);
        let route = Route { attempt, decision: text("deny"), reasons: vec![text("retry_budget")], ..Route::default() };
        self.push(&envelope, time, Kind::Route(route));
    }

    fn push(&mut self, envelope: &Arc<Envelope>, time: i64, kind: Kind) {
        let event_id = text(&id(1_000_000 + self.events.len() as i64, time));
        self.events.push(Event { event_id, time: Timestamp::from_micros(time), envelope: Arc::clone(envelope), kind });
    }

    /// The folder of a program that ran once, with these events in its journal.
    pub fn stored(self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        Up::start(folder.path()).stop();
        let encoded = self.events.iter().map(|event| Encoder::new().unwrap().encode(event).unwrap().into()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = JournalConfig { consumers: vec!["lake".to_owned()], ..JournalConfig::new(JournalId::from_uuid(Uuid::from_u128(7))) };
        let disk = Arc::new(FileDisk::open(&folder.path().join("journal")).unwrap());
        let (journal, _) = Journal::open(config, disk).unwrap();
        runtime.block_on(journal.append(encoded)).unwrap();
        folder
    }
}

pub fn request_id(number: i64) -> String {
    id(number, START + number * SECOND)
}

fn id(number: i64, time: i64) -> String {
    let millis = format!("{:012x}", time / 1000);
    format!("{}-{}-7000-8000-{number:012}", &millis[..8], &millis[8..])
}

/// An attempt at Bedrock: input with cache reads in it, and output.
pub fn at_bedrock(attempt: i32, model: &str, [input, cache_read, output]: [i64; 3]) -> Invocation {
    Invocation {
        attempt,
        route: text("bedrock"),
        provider: text("bedrock"),
        model: text(model),
        status: text("completed"),
        http_status: Some(200),
        duration_us: Some(900),
        input_tokens: Some(input),
        cache_read_tokens: Some(cache_read),
        output_tokens: Some(output),
        usage_source: text("provider"),
        ..Invocation::default()
    }
}

/// A cost of version 1.0: without what chose its price.
pub fn cost(attempt: i32, model: &str, amount_pico: Option<i64>) -> Cost {
    Cost {
        attempt,
        route: text("bedrock"),
        provider: text("bedrock"),
        model: text(model),
        currency: text("USD"),
        amount_pico,
        price_book: text("test"),
        finding: amount_pico.is_none().then(|| text("missing_price")),
        ..Cost::default()
    }
}

/// The same of version 1.1, standard class.
pub fn cost_with_facts(attempt: i32, model: &str, amount_pico: Option<i64>) -> Cost {
    Cost {
        charged_for: Some(text("model")),
        region: Some(text("eu-central-1")),
        service_tier: Some(text("standard")),
        ..cost(attempt, model, amount_pico)
    }
}

/// Units of a guardrail's content filters.
pub fn guardrail_cost(attempt: i32, units: i64, amount_pico: i64) -> Cost {
    let items = [(text("guardrail_content"), units)].into_iter().collect();
    Cost { charged_for: Some(text("guardrail")), items, ..cost_with_facts(attempt, "guardrails", Some(amount_pico)) }
}

/// Runs `custody price`; exit code, standard output, standard error.
pub fn price(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let book = folder.path().join("book.toml");
    std::fs::write(&book, include_str!("prices.toml")).unwrap();
    let mut command = Command::new(custody());
    command.arg("price").args(arguments).arg("--book").arg(&book).arg("--data-dir").arg(folder.path());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    file.to_str().unwrap().to_owned()
}

pub fn text(text: &str) -> Text {
    Text::from(text)
}
