//! Temporary measurement.
#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, clippy::indexing_slicing, missing_docs)]
use std::{collections::BTreeMap, sync::{Arc, atomic::{AtomicU64, Ordering}}, time::Instant};
use custody_event::*;
use custody_lake::*;
use custody_types::*;
use uuid::Uuid;

struct Tools(AtomicU64);
impl Clock for Tools { fn now(&self) -> Timestamp { Timestamp::from_micros(1_763_700_000_000_000) } fn monotonic_micros(&self) -> u64 { 0 } }
impl IdSource for Tools { fn request_id(&self) -> RequestId { RequestId::from_uuid(Uuid::now_v7()) } fn event_id(&self) -> EventId { EventId::from_uuid(Uuid::now_v7()) } }

fn rnd(state: &mut u64) -> u64 { *state ^= *state << 13; *state ^= *state >> 7; *state ^= *state << 17; *state }
fn hex(state: &mut u64, bytes: usize) -> String { (0..bytes / 8).map(|_| format!("{:016x}", rnd(state))).collect() }
fn v7(ms: u64, s: &mut u64) -> String { let u = (u128::from(ms) << 80) | (7u128 << 76) | (u128::from(rnd(s) & 0xfff) << 64) | (2u128 << 62) | u128::from(rnd(s) >> 2); Uuid::from_u128(u).to_string() }

fn trail(ms: u64, s: &mut u64, out: &mut Vec<Event>) {
    let caps = ["support.answer", "docs.summarise", "ticket.classify"];
    let c = (rnd(s) % 3) as usize; let t = rnd(s) % 22;
    let mut tags = BTreeMap::new(); tags.insert(Text::from("team"), Text::from(format!("team-{}", rnd(s) % 5)));
    let env = Arc::new(Envelope { request_id: Some(v7(ms, s).into()), tenant: format!("m-small-client-{t}").into(), principal: format!("svc-{t}").into(), user_pseudonym: Some(hex(s, 32).into()), capability: Some(caps[c].into()), feature: Some(["assist", "docs", "triage"][c].into()), workflow: Some("default".into()), environment: "production".into(), data_class: Some("confidential".into()), control_level: Some("customer".into()), tags, policy_hash: "ab".repeat(32).into(), config_hash: "cd".repeat(32).into(), trace_id: Some(hex(s, 16).into()), span_id: Some(hex(s, 8).into()), client_request_id: None, api_key_id: Some(format!("key-{t}").into()), producer: "custody 0.1.0".into() });
    let dur = 200_000 + (rnd(s) % 3_000_000) as i64; let (i, o) = ((rnd(s) % 4000) as i64, (rnd(s) % 800) as i64);
    let mut push = |off: i64, kind: Kind| { let id = v7(ms, s); out.push(Event { event_id: id.into(), time: Timestamp::from_micros(ms as i64 * 1000 + off), envelope: Arc::clone(&env), kind }) };
    push(0, Kind::Request(Request { dialect: "openai".into(), operation: "chat".into(), stream: true, requested: Some(caps[c].into()), messages: 3, input_bytes: i * 4, max_output_tokens: Some(1024), tools: 0, input_hash: Some("ef".repeat(32).into()), decision: "allow".into(), policy_ids: vec!["invoke-support".into()], ..Default::default() }));
    push(30, Kind::Prompt(Prompt { prompt_id: "support".into(), version: "v3".into(), template_hash: "01".repeat(32).into(), parts: vec![PromptPart { part: "system".into(), source: "registry".into(), bytes: 900, hash: None }, PromptPart { part: "user".into(), source: "caller".into(), bytes: i * 4, hash: Some("23".repeat(32).into()) }], caller_system: "none".into() }));
    push(60, Kind::Route(Route { attempt: 1, decision: "allow".into(), chosen: Some("upstream".into()), provider: Some("openai_compatible".into()), model: Some("m-small".into()), candidates: vec!["upstream".into(), "simulator".into()], reasons: vec!["first".into(), "not needed".into()], policy_ids: vec!["route".into()], fallback: false, ..Default::default() }));
    push(dur, Kind::Invocation(Invocation { attempt: 1, route: "upstream".into(), provider: "openai_compatible".into(), model: "m-small".into(), model_used: Some("m-small-2".into()), status: "completed".into(), http_status: Some(200), finish_reason: Some("stop".into()), started_at: Some(Timestamp::from_micros(ms as i64 * 1000 + 70)), first_token_us: Some(dur / 3), duration_us: Some(dur), input_tokens: Some(i), cache_read_tokens: Some(0), output_tokens: Some(o), reasoning_tokens: Some(0), usage_source: "provider".into(), usage_raw: Some(format!("{{\"prompt_tokens\":{i},\"completion_tokens\":{o},\"total_tokens\":{}}}", i + o).into()), normaliser_version: Some(1), stream_chunks: Some(o), output_bytes: Some(o * 4), output_hash: Some("45".repeat(32).into()), ..Default::default() }));
    push(dur + 40, Kind::Validation(Validation { status: "passed".into(), checks: vec![ValidationCheck { name: "non_empty".into(), result: "passed".into() }], schema_hash: None, handling: "display".into() }));
    push(dur + 50, Kind::Cost(Cost { attempt: 1, route: "upstream".into(), provider: "openai_compatible".into(), model: "m-small".into(), currency: "USD".into(), amount_pico: Some(i * 150_000 + o * 600_000), input_pico: Some(i * 150_000), cache_read_pico: Some(0), cache_write_pico: Some(0), output_pico: Some(o * 600_000), price_book: "2026-11".into(), price_id: Some("m-small".into()), uncached_input_tokens: Some(i), cache_read_tokens: Some(0), cache_write_tokens: Some(0), output_tokens: Some(o), ..Default::default() }));
    push(dur + 60, Kind::Outcome(Outcome { class: "answered".into(), http_status: 200, stage: "released".into(), attempts: 1, duration_us: Some(dur + 60), overhead_us: Some(400), stage_us: BTreeMap::from([("identify".into(), 20), ("route".into(), 30), ("record".into(), 200)]), guardrail_status: "not_required".into(), retrieval_status: "not_required".into(), handling: Some("display".into()), recovered: false, delivered_bytes: Some(o * 4), ..Default::default() }));
}

fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect(); (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0 }

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let batches: u64 = std::env::args().nth(1).map_or(8, |n| n.parse().unwrap());
    let per: u64 = std::env::args().nth(2).map_or(140_000, |n| n.parse().unwrap());
    let root = std::env::temp_dir().join(format!("lake-measure-{}", std::process::id()));
    let tools = Arc::new(Tools(AtomicU64::new(0)));
    let store = EventStore::open(&root, tools.clone(), tools.clone()).await.unwrap();
    DeadLetterStore::open(&root, tools.clone(), tools.clone()).await.unwrap();
    let source = Source { journal: JournalId::from_uuid(Uuid::from_u128(7)), epoch: 1 };
    let mut decoder = EventDecoder::new().unwrap(); let mut encoder = Encoder::new().unwrap();
    let (mut seed, mut seq, mut ms) = (88172645463325252u64, 0u64, 1_763_700_000_000u64);
    let (mut d, mut st, mut co, mut payload, mut file, mut n) = (0.0, 0.0, 0.0, 0u64, 0u64, 0u64);
    let mut wanted = String::new();
    for b in 0..batches {
        let mut events = Vec::new();
        while (events.len() as u64) < per { trail(ms, &mut seed, &mut events); ms += 3; }
        if b == batches / 2 { wanted = events[events.len() / 2].envelope.request_id.as_ref().unwrap().to_string(); }
        let records: Vec<LogRecord> = events.iter().map(|e| { seq += 1; LogRecord { position: LogPosition::new(seq - 1), source, seq: Seq::new(seq), payload: encoder.encode(e).unwrap().into(), damaged: false } }).collect();
        drop(events);
        payload += records.iter().map(|r| r.payload.len() as u64).sum::<u64>();
        let c = cpu(); let rows = decoder.decode("journal/x", &records).rows; d += cpu() - c;
        assert_eq!(rows.len(), records.len()); n += records.len() as u64; drop(records);
        let c = cpu(); let staged = store.stage(rows).await.unwrap(); st += cpu() - c; file += staged.bytes();
        let t = Instant::now(); let on = store.snapshot().await.unwrap();
        store.commit(&on, staged, &[("custody/position/journal/x".into(), seq as i64)], Uuid::now_v7()).await.unwrap(); co += t.elapsed().as_secs_f64();
    }
    println!("{n} events, decode {:.2} us, stage {:.2} us, avro {:.0} B, parquet {:.1} B, snapshot+commit {:.1} ms", d * 1e6 / n as f64, st * 1e6 / n as f64, payload as f64 / n as f64, file as f64 / n as f64, co * 1e3 / batches as f64);
    let reader = LakeReader::open(&root).await.unwrap();
    use deltalake::datafusion::prelude::*;
    for round in 0..5 {
        let t = Instant::now(); let snap = reader.snapshot().await.unwrap(); let s = t.elapsed().as_secs_f64() * 1e3;
        let ctx = SessionContext::new(); ctx.register_table("events", snap.events()).unwrap();
        let t = Instant::now();
        let rows: usize = ctx.sql(&format!("select * from events where request_id='{wanted}'")).await.unwrap().collect().await.unwrap().iter().map(|b| b.num_rows()).sum();
        let q = t.elapsed().as_secs_f64() * 1e3; let t = Instant::now();
        ctx.sql("select tenant, event_date, sum(cost_amount_pico) from events where kind='cost' group by 1,2").await.unwrap().collect().await.unwrap();
        println!("snapshot {s:.1} ms, look-up {q:.1} ms ({rows} rows), cost by tenant {:.1} ms", t.elapsed().as_secs_f64() * 1e3);
        if round == 4 {
            let plan = ctx.sql(&format!("explain analyze select event_id, kind, time, outcome_class from events where request_id='{wanted}'")).await.unwrap().collect().await.unwrap();
            println!("{}", arrow::util::pretty::pretty_format_batches(&plan).unwrap());
        }
    }
    // small batches, as the follower decodes them
    let mut events = Vec::new(); trail(ms, &mut seed, &mut events);
    let few: Vec<LogRecord> = events.iter().map(|e| LogRecord { position: LogPosition::START, source, seq: Seq::new(1), payload: encoder.encode(e).unwrap().into(), damaged: false }).collect();
    let t = Instant::now(); for _ in 0..2000 { decoder.decode("journal/x", &few); }
    println!("decode of {} records {:.1} us", few.len(), t.elapsed().as_secs_f64() * 1e6 / 2000.0);
    let mut bad = few.clone(); bad[3].payload = bad[3].payload.slice(..60);
    let t = Instant::now(); for _ in 0..200 { assert_eq!(decoder.decode("journal/x", &bad).poison.len(), 1); }
    println!("with one poisoned {:.1} us", t.elapsed().as_secs_f64() * 1e6 / 200.0);
    let t = Instant::now(); for _ in 0..50 { EventDecoder::new().unwrap(); }
    println!("new decoder {:.1} us", t.elapsed().as_secs_f64() * 1e6 / 50.0);
    let _ = tools.0.load(Ordering::Relaxed);
    std::fs::remove_dir_all(root).unwrap();
}
