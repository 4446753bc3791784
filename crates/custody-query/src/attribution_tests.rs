//! LOG-39, C-05: `queries/cost_attribution.sql` over a generated period sums to the whole by every key, and to what was put in.

use std::{collections::BTreeMap, sync::Arc};

use custody_event::{Cost, Encoder, Envelope, Event, Invocation, Kind, Prompt, Request};
use custody_types::{LogRecord, Text, Timestamp};

use crate::{
    FollowerConfig, Parameters, QueryOptions, SqlSession,
    golden::table,
    test_lake::{record, request_id, session_over},
};

const QUERY: &str = include_str!("../../../queries/cost_attribution.sql");
const KEYS: [&str; 9] = ["tenant", "feature", "workflow", "capability", "model", "route", "prompt", "api_key", "tag"];
/// 2026-11-20T23:58:30Z, for a minute of requests that take up to two: their events lie on both sides of midnight.
const START: i64 = 1_795_219_110_000_000;
/// The microsecond before 2026-11-21: the request's next event is of another day.
const LAST_OF_DAY: i64 = START + 90_000_000 - 1;
const REQUESTS: i64 = 300;
const INPUT_PRICE: i64 = 3_000_001;
const READ_PRICE: i64 = 300_000;
/// Columns of the answer, after its key.
const COUNTS: [&str; 7] =
    ["requests", "attempts", "input_tokens", "cache_read_tokens", "output_tokens", "costs_without_amount", "cache_reads_without_savings"];
const DOLLARS: [&str; 6] = ["cost_usd", "retries_usd", "fallbacks_usd", "without_answer_usd", "guardrails_usd", "cache_savings_usd"];

/// Sums by column.
type Sums = BTreeMap<&'static str, i128>;

/// Makes requests from their numbers alone, and counts what it makes.
#[derive(Default)]
struct Period {
    records: Vec<LogRecord>,
    whole: Sums,
    of_tenants: BTreeMap<String, Sums>,
}

struct Made {
    number: i64,
    received: i64,
    envelope: Arc<Envelope>,
}

impl Period {
    fn generated() -> Self {
        let mut period = Self::default();
        (0..REQUESTS).for_each(|number| period.request(number));
        period
    }

    fn request(&mut self, number: i64) {
        self.request_at(number, START + number * 200_000);
    }

    fn request_at(&mut self, number: i64, received: i64) {
        let of = |what: &str, count: i64| text(&format!("{what}-{}", number % count));
        let envelope = Envelope {
            request_id: Some(text(&request_id(number, received))),
            tenant: of("tenant", 3),
            principal: text("svc"),
            capability: (number % 11 != 0).then(|| of("capability", 5)),
            feature: (number % 13 != 0).then(|| of("feature", 4)),
            workflow: Some(of("workflow", 2)),
            tags: if number % 4 == 0 { BTreeMap::new() } else { BTreeMap::from([(text("team"), of("team", 3))]) },
            api_key_id: Some(of("key", 7)),
            environment: text("test"),
            policy_hash: text("p"),
            config_hash: text("c"),
            producer: text("custody/test"),
            ..Envelope::default()
        };
        let made = Made { number, received, envelope: Arc::new(envelope) };
        let request = Request { dialect: text("openai"), operation: text("chat"), decision: text("allow"), ..Request::default() };
        self.push(&made, 0, Kind::Request(request));
        self.count(&made, "requests", 1);
        if number % 10 == 9 {
            return;
        }
        let prompt = Prompt { prompt_id: of("prompt", 3), version: of("v", 2), caller_system: text("none"), ..Prompt::default() };
        self.push(&made, 1, Kind::Prompt(prompt));
        // Attempts 1 and 2 on the first route, 3 and 4 on the second.
        let attempts = i32::try_from(number % 4).unwrap() + 1;
        (1..=attempts).for_each(|attempt| self.attempt(&made, attempt, attempt == attempts));
    }

    fn attempt(&mut self, made: &Made, attempt: i32, is_last: bool) {
        let number = made.number;
        let (route, model) = if attempt <= 2 { ("first", "model-a") } else { ("second", "model-b") };
        let answered = is_last && number % 6 != 0;
        let (read, plain, output) = (if number % 3 == 0 { 100 } else { 0 }, if number % 9 == 0 { 0 } else { 50 + number }, 7);
        let invocation = Invocation {
            attempt,
            route: text(route),
            provider: text("bedrock"),
            model: text(model),
            status: text(if answered { "completed" } else { "failed" }),
            input_tokens: Some(read + plain),
            cache_read_tokens: Some(read),
            output_tokens: Some(output),
            usage_source: text("provider"),
            ..Invocation::default()
        };
        self.push(made, i64::from(attempt) * 30_000_000, Kind::Invocation(invocation));
        for (column, count) in [("attempts", 1), ("input_tokens", read + plain), ("cache_read_tokens", read), ("output_tokens", output)] {
            self.count(made, column, count);
        }
        let (input, reads) = (plain * INPUT_PRICE, read * READ_PRICE);
        let amount = (number % 17 != 0).then_some(input + reads);
        let cost = Cost {
            input_pico: amount.map(|_| input),
            cache_read_pico: amount.map(|_| reads),
            uncached_input_tokens: Some(plain),
            cache_read_tokens: Some(read),
            ..charged(attempt, route, model, amount)
        };
        self.cost(made, cost, attempt, answered);
        if read > 0 {
            let exact = amount.is_some() && plain > 0;
            self.count(made, "cache_savings_usd", if exact { read * (INPUT_PRICE - READ_PRICE) } else { 0 });
            self.count(made, "cache_reads_without_savings", i64::from(!exact));
        }
        if number % 5 == 0 {
            let amount = 150_000_000;
            let guardrail = Cost { charged_for: Some(text("guardrail")), ..charged(attempt, route, "guardrails", Some(amount)) };
            self.cost(made, guardrail, attempt, answered);
            self.count(made, "guardrails_usd", amount);
        }
    }

    fn cost(&mut self, made: &Made, cost: Cost, attempt: i32, answered: bool) {
        let amount = cost.amount_pico;
        self.push(made, i64::from(attempt) * 30_000_000 + 1, Kind::Cost(cost));
        self.count(made, "costs_without_amount", i64::from(amount.is_none()));
        let kind = match attempt {
            2 | 4 => Some("retries_usd"),
            3 => Some("fallbacks_usd"),
            _ => None,
        };
        let not_answered = (!answered).then_some("without_answer_usd");
        for column in std::iter::once("cost_usd").chain(kind).chain(not_answered) {
            self.count(made, column, amount.unwrap_or(0));
        }
    }

    fn push(&mut self, made: &Made, after: i64, kind: Kind) {
        let position = self.records.len() as u64;
        let time = made.received + after;
        let event_id = text(&request_id(10_000 + position as i64, time));
        let event = Event { event_id, time: Timestamp::from_micros(time), envelope: Arc::clone(&made.envelope), kind };
        self.records.push(record(position, Encoder::new().unwrap().encode(&event).unwrap()));
    }

    fn count(&mut self, made: &Made, column: &'static str, count: i64) {
        *self.whole.entry(column).or_default() += i128::from(count);
        let of_tenant = self.of_tenants.entry(made.envelope.tenant.to_string()).or_default();
        *of_tenant.entry(column).or_default() += i128::from(count);
    }
}

fn charged(attempt: i32, route: &str, model: &str, amount_pico: Option<i64>) -> Cost {
    Cost {
        attempt,
        route: text(route),
        provider: text("bedrock"),
        model: text(model),
        currency: text("USD"),
        amount_pico,
        finding: amount_pico.is_none().then(|| text("missing_price")),
        price_book: text("b"),
        charged_for: Some(text("model")),
        ..Cost::default()
    }
}

fn text(text: &str) -> Text {
    Text::from(text)
}

/// Sums of the query's answer, of all groups or of one.
async fn sums(session: &SqlSession, by: &str, days: [&str; 2], group: Option<&str>) -> BTreeMap<String, String> {
    let columns: Vec<String> =
        COUNTS.iter().chain(&DOLLARS).map(|column| format!("cast(coalesce(sum({column}), 0) as varchar) as {column}")).collect();
    let only = group.map_or_else(String::new, |group| format!("where key = '{group}'"));
    let sql = format!("select {} from ({QUERY}) {only}", columns.join(", "));
    let tag = if by == "tag" { "team" } else { "" };
    let parameters = [format!("by={by}"), format!("tag={tag}"), format!("from_day={}", days[0]), format!("before_day={}", days[1])];
    let parameters = Parameters::parse(parameters.iter().map(String::as_str)).unwrap();
    let answer = table(session, &sql, &QueryOptions { parameters, ..QueryOptions::default() }).await.unwrap();
    let lines: Vec<&str> = answer.lines().collect();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    cells(lines[0]).into_iter().zip(cells(lines[2])).collect()
}

fn shown(expected: &Sums) -> BTreeMap<String, String> {
    let dollars = |pico: i128| format!("{}.{:012}", pico / 1_000_000_000_000, pico % 1_000_000_000_000);
    let of = |column: &str| expected.get(column).copied().unwrap_or(0);
    let counts = COUNTS.iter().map(|column| ((*column).to_owned(), of(column).to_string()));
    counts.chain(DOLLARS.iter().map(|column| ((*column).to_owned(), dollars(of(column))))).collect()
}

#[tokio::test]
async fn sums_balance_by_every_key_and_are_what_was_put_in() {
    let period = Period::generated();
    let stored = period.records.len() as u64 / 2;
    let session = session_over(period.records, stored, FollowerConfig::default());
    let expected = shown(&period.whole);
    assert!(expected.values().all(|sum| !sum.trim_matches(['0', '.']).is_empty()), "each column has something to lose: {expected:?}");
    for by in KEYS {
        assert_eq!(sums(&session, by, ["2026-11-20", "2026-11-22"], None).await, expected, "by {by}");
    }
    for (tenant, of_tenant) in &period.of_tenants {
        assert_eq!(sums(&session, "tenant", ["2026-11-20", "2026-11-22"], Some(tenant)).await, shown(of_tenant), "{tenant}");
    }
}

/// A request over midnight is a retry on the second day as it would have been on the first, and has its prompt and its route.
#[tokio::test]
async fn two_days_apart_are_the_same_as_both_together() {
    let period = Period::generated();
    let session = session_over(period.records, 0, FollowerConfig::default());
    for (by, group, first_day) in [("prompt", "prompt-1 v-1", true), ("route", "second", false)] {
        let mut days = Vec::new();
        for day in [["2026-11-20", "2026-11-21"], ["2026-11-21", "2026-11-22"], ["2026-11-20", "2026-11-22"]] {
            days.push(sums(&session, by, day, Some(group)).await);
        }
        let number = |day: &BTreeMap<String, String>, column: &str| day[column].replace('.', "").parse::<i128>().unwrap();
        for column in COUNTS.iter().chain(&DOLLARS) {
            assert_eq!(number(&days[0], column) + number(&days[1], column), number(&days[2], column), "{by} {group} {column}");
        }
        assert!(number(&days[1], "retries_usd") > 0 && (number(&days[0], "retries_usd") > 0) == first_day, "{by} {group}");
    }
}

/// Its prompt is of the next day, and it is asked for by the day on which it was received.
#[tokio::test]
async fn a_request_that_gets_its_prompt_after_midnight_counts_for_that_prompt() {
    let mut period = Period::default();
    period.request_at(1, LAST_OF_DAY);
    let session = session_over(period.records, 0, FollowerConfig::default());
    let first_day = sums(&session, "prompt", ["2026-11-20", "2026-11-21"], Some("prompt-1 v-1")).await;
    assert_eq!((&*first_day["requests"], &*first_day["attempts"]), ("1", "0"));
}
