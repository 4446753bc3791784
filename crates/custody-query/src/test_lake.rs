//! A small lake made from real events through the real codec: part of it stored, the rest still in the log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use custody_event::{Content, Control, Cost, Encoder, Envelope, Event, Invocation, Kind, Outcome, Prompt, Request, Route, Validation};
use custody_lake::{dead_letter_columns, decode, event_columns};
use custody_log::{LogBounds, LogReader, ReadError};
use custody_types::{LogPosition, LogRecord, Seq, Source, Text, Timestamp};
use datafusion::{catalog::TableProvider, datasource::MemTable};

use crate::{Follower, FollowerConfig, LakeSnapshot, LiveLake, QueryConfig, QueryEngine, QueryError, SnapshotSource, SqlSession};

pub const PARTITION: &str = "journal/00000000-0000-7000-8000-000000000001";
/// 2026-11-20T10:00:00Z.
const DAY_ONE: i64 = 1_795_168_800_000_000;
const DAY: i64 = 86_400_000_000;

/// A log in memory.
#[derive(Clone, Default)]
pub struct TestLog(pub Arc<Mutex<Vec<LogRecord>>>);

pub struct TestReader {
    log: TestLog,
    next: LogPosition,
    at_once: usize,
}

impl TestLog {
    pub fn of(records: Vec<LogRecord>) -> Self {
        Self(Arc::new(Mutex::new(records)))
    }

    pub fn reader(&self, at_once: usize) -> Box<TestReader> {
        Box::new(TestReader { log: self.clone(), next: LogPosition::START, at_once })
    }
}

#[async_trait]
impl LogReader for TestReader {
    async fn read(&mut self, _max_bytes: usize, _wait: Duration) -> Result<Vec<LogRecord>, ReadError> {
        let log = self.log.0.lock().unwrap();
        if let Some(first) = log.first().map(|record| record.position).filter(|first| self.next < *first) {
            return Err(ReadError::Truncated { asked: self.next, first });
        }
        let found: Vec<_> = log.iter().filter(|record| record.position >= self.next).take(self.at_once).cloned().collect();
        self.next = found.last().map_or(self.next, |record| record.position.next());
        Ok(found)
    }

    async fn bounds(&mut self) -> Result<LogBounds, ReadError> {
        let log = self.log.0.lock().unwrap();
        let first = log.first().map_or(LogPosition::START, |record| record.position);
        let end = log.last().map_or(LogPosition::START, |record| record.position.next());
        Ok(LogBounds { first, end })
    }

    fn seek(&mut self, to: LogPosition) {
        self.next = to;
    }

    fn position(&self) -> LogPosition {
        self.next
    }

    fn partition(&self) -> String {
        PARTITION.to_owned()
    }
}

/// A lake in memory that has stored the log up to a position.
#[derive(Debug, Clone)]
pub struct TestLake(pub Arc<Mutex<LakeSnapshot>>);

#[async_trait]
impl SnapshotSource for TestLake {
    async fn latest(&self) -> Result<LakeSnapshot, QueryError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

pub fn stored(records: &[LogRecord], up_to: u64) -> LakeSnapshot {
    let below: Vec<_> = records.iter().filter(|record| record.position.get() < up_to).cloned().collect();
    let batches = decode(PARTITION, &below).rows.batches().to_vec();
    let events: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(event_columns(), vec![batches]).unwrap());
    let dead_letters = Arc::new(MemTable::try_new(dead_letter_columns(), vec![vec![]]).unwrap());
    let positions = BTreeMap::from([(PARTITION.to_owned(), LogPosition::new(up_to))]);
    let (dead_letter_positions, transactions) = (BTreeMap::new(), BTreeMap::new());
    LakeSnapshot { version: up_to, positions, dead_letter_positions, transactions, events, dead_letters }
}

/// A session over the example, of which the lake has stored `stored_records`.
pub fn session(stored_records: u64) -> SqlSession {
    session_over(example(), stored_records, FollowerConfig::default())
}

pub fn session_over(records: Vec<LogRecord>, stored_records: u64, config: FollowerConfig) -> SqlSession {
    QueryEngine::build(&QueryConfig::default(), live_lake(records, stored_records, config)).unwrap().session()
}

pub fn session_with(stored_records: u64, config: &QueryConfig) -> SqlSession {
    QueryEngine::build(config, live_lake(example(), stored_records, FollowerConfig::default())).unwrap().session()
}

fn live_lake(records: Vec<LogRecord>, stored_records: u64, config: FollowerConfig) -> LiveLake {
    let lake = TestLake(Arc::new(Mutex::new(stored(&records, stored_records))));
    let follower = Follower::new(TestLog::of(records).reader(5), config);
    LiveLake::new(Arc::new(lake), vec![Arc::new(follower)])
}

pub fn record(position: u64, payload: Vec<u8>) -> LogRecord {
    let journal = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    let (position, seq) = (LogPosition::new(position), Seq::new(position + 1));
    LogRecord { position, source: Source { journal, epoch: 1 }, seq, payload: payload.into(), damaged: false }
}

pub fn request_id(number: i64, time: i64) -> String {
    let millis = format!("{:012x}", time / 1000);
    format!("{}-{}-7000-8000-{number:012}", &millis[..8], &millis[8..])
}

/// Six requests of two tenants on two days and a control event: answered, answered at the second attempt, refused, answered
/// without a price, cut off and closed by recovery on the next day, and still open.
pub fn example() -> Vec<LogRecord> {
    requests(false).records
}

/// The same with handling rules; question and answer of the second request are kept.
pub fn example_with_texts() -> Vec<LogRecord> {
    let mut events = requests(true);
    events.kept(2, "acme", DAY_ONE + 2_000_000);
    events.records
}

fn requests(has_rules: bool) -> Example {
    let mut events = Example { has_rules, ..Example::default() };
    events.control(DAY_ONE);
    for (number, tenant, time) in [(1, "acme", DAY_ONE + 1), (2, "acme", DAY_ONE + 2_000_000), (4, "globex", DAY_ONE + DAY)] {
        events.intent(number, tenant, time);
        if number == 2 {
            events.failed_attempt(number, tenant, time + 100);
        }
        events.answered(number, tenant, time + 900);
    }
    events.refused(3, "globex", DAY_ONE + DAY + 5);
    events.intent(5, "acme", DAY_ONE + 7_000_000);
    events.abandoned(5, "acme", DAY_ONE + 7_000_000, DAY_ONE + DAY + 60_000_000);
    events.intent(6, "acme", DAY_ONE + DAY + 90_000_000);
    events
}

#[derive(Default)]
struct Example {
    records: Vec<LogRecord>,
    has_rules: bool,
}

impl Example {
    fn push(&mut self, number: i64, tenant: &str, received: i64, time: i64, kind: Kind) {
        let position = self.records.len() as u64;
        let is_request = number > 0;
        let envelope = Envelope {
            request_id: is_request.then(|| text(&request_id(number, received))),
            tenant: text(tenant),
            principal: text("svc-1"),
            capability: is_request.then(|| text("support.answer")),
            feature: is_request.then(|| text("support")),
            workflow: is_request.then(|| text("tickets")),
            environment: text("test"),
            policy_hash: text("p"),
            config_hash: text("c"),
            producer: text("custody/test"),
            handling_rule: (is_request && self.has_rules).then(|| text(if number == 2 { "quality@3" } else { "none@3" })),
            ..Envelope::default()
        };
        let event_id = text(&request_id(1000 + position as i64, time));
        let event = Event { event_id, time: Timestamp::from_micros(time), envelope: Arc::new(envelope), kind };
        self.records.push(record(position, Encoder::new().unwrap().encode(&event).unwrap()));
    }

    fn control(&mut self, time: i64) {
        let control = Control { action: text("started"), subject: text("gateway"), actor: text("custody"), ..Control::default() };
        self.push(0, "platform", time, time, Kind::Control(control));
    }

    fn intent(&mut self, number: i64, tenant: &str, time: i64) {
        let request = Request { dialect: text("openai"), operation: text("chat"), decision: text("allow"), ..Request::default() };
        let prompt = Prompt { prompt_id: text("support"), version: text("v1"), caller_system: text("none"), ..Prompt::default() };
        self.push(number, tenant, time, time, Kind::Request(request));
        self.push(number, tenant, time, time + 10, Kind::Prompt(prompt));
        self.route(number, tenant, time, 1);
    }

    fn route(&mut self, number: i64, tenant: &str, time: i64, attempt: i32) {
        let route = Route { attempt, decision: text("allow"), chosen: Some(text("simulator")), ..Route::default() };
        self.push(number, tenant, time, time + 20, Kind::Route(route));
    }

    fn failed_attempt(&mut self, number: i64, tenant: &str, time: i64) {
        let invocation = Invocation { status: text("failed"), http_status: Some(503), ..invocation(1) };
        self.push(number, tenant, time - 100, time, Kind::Invocation(invocation));
        self.route(number, tenant, time - 100, 2);
    }

    fn answered(&mut self, number: i64, tenant: &str, time: i64) {
        let received = time - 900;
        let attempts = if number == 2 { 2 } else { 1 };
        let used = Invocation {
            input_tokens: Some(1000 * number),
            cache_read_tokens: Some(100),
            output_tokens: Some(10 * number),
            duration_us: Some(800 * number),
            ..invocation(attempts)
        };
        self.push(number, tenant, received, time, Kind::Invocation(used));
        let validation = Validation { status: text("passed"), handling: text("display"), ..Validation::default() };
        self.push(number, tenant, received, time, Kind::Validation(validation));
        let priced = number != 4;
        let cost = Cost {
            attempt: attempts,
            route: text("simulator"),
            provider: text("simulator"),
            model: text("sim-small"),
            currency: text("USD"),
            amount_pico: priced.then_some(37_500_000 * number + 1),
            price_book: text("2026-11"),
            price_id: priced.then(|| text("sim-small/2026-11-01")),
            finding: (!priced).then(|| text("missing_price")),
            ..Cost::default()
        };
        self.push(number, tenant, received, time, Kind::Cost(cost));
        let outcome = Outcome { attempts, duration_us: Some(900 * number), overhead_us: Some(100), ..outcome("answered", 200) };
        self.push(number, tenant, received, time, Kind::Outcome(outcome));
    }

    fn kept(&mut self, number: i64, tenant: &str, time: i64) {
        for (part, bytes) in [("prompt", 120), ("response", 70_000)] {
            let content = Content {
                content_id: text(&request_id(2000 + bytes, time)),
                part: text(part),
                bytes,
                purpose: text("quality-review"),
                retention_class: text("short"),
                expires_on: text("2026-12-20"),
                claim_check: bytes > 1024,
                ..Content::default()
            };
            self.push(number, tenant, time, time + 950, Kind::Content(content));
        }
    }

    fn refused(&mut self, number: i64, tenant: &str, time: i64) {
        let request = Request { dialect: text("openai"), operation: text("chat"), decision: text("deny"), ..Request::default() };
        self.push(number, tenant, time, time, Kind::Request(request));
        let outcome = Outcome { code: Some(text("capability_not_allowed")), stage: text("authorised"), ..outcome("refused", 403) };
        self.push(number, tenant, time, time + 5, Kind::Outcome(outcome));
    }

    fn abandoned(&mut self, number: i64, tenant: &str, received: i64, time: i64) {
        let unknown = Invocation { status: text("unknown"), usage_source: text("unknown"), ..invocation(1) };
        self.push(number, tenant, received, time, Kind::Invocation(unknown));
        let outcome = Outcome { recovered: true, attempts: 1, ..outcome("abandoned", 500) };
        self.push(number, tenant, received, time, Kind::Outcome(outcome));
    }
}

fn invocation(attempt: i32) -> Invocation {
    Invocation {
        attempt,
        route: text("simulator"),
        provider: text("simulator"),
        model: text("sim-small"),
        status: text("completed"),
        usage_source: text("provider"),
        ..Invocation::default()
    }
}

fn outcome(class: &str, http_status: i32) -> Outcome {
    Outcome {
        class: text(class),
        http_status,
        stage: text("released"),
        guardrail_status: text("not_required"),
        retrieval_status: text("not_required"),
        ..Outcome::default()
    }
}

fn text(text: &str) -> Text {
    Text::from(text)
}
