//! Records of Bedrock's invocation log parse, price and join.

use super::*;
use crate::invocation_log::{JoinedBy, LogRecordError, LoggedCall, Match, RecordedCall, matches};

const RECORDS: &str = include_str!("fixtures/bedrock_log.jsonl");
const BOOK: &str = r#"
version = "v"
currency = "USD"
[[entries]]
id = "haiku"
provider = "bedrock"
model = "anthropic.claude-3-haiku-20240307-v1:0"
effective_from = 2024-01-01
per_million_tokens = { input = "0.25", cache_read = "0.03", cache_write_5m = "0.3", cache_write_1h = "0.5", output = "1.25" }
[[entries]]
id = "guardrails"
provider = "bedrock"
model = "guardrails"
effective_from = 2024-01-01
per_item = { guardrail_content = "0.00015" }
"#;

fn book() -> PriceBook {
    PriceBook::parse("p", BOOK).unwrap()
}

fn generated(number: u64, fields: &str, output: &str) -> String {
    format!(
        r#"{{"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-11-21T10:00:{:02}Z", "accountId": "123456789012",
        "identity": {{"arn": "arn:aws:sts::123456789012:assumed-role/gateway/custody"}}, "region": "us-east-1", "requestId": "bedrock-{number}",
        "operation": "Converse", "modelId": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", {fields}
        "output": {{"outputContentType": "application/json", "outputTokenCount": 10 {output}}}}}"#,
        number % 60
    )
}

const INPUT: &str = r#""input": {"inputContentType": "application/json", "inputTokenCount": 100, "cacheReadInputTokenCount": 1000, "cacheWriteInputTokenCount": 50},"#;

#[test]
fn public_records_parse_and_price() {
    let read: Vec<Result<LoggedCall, LogRecordError>> = RECORDS.lines().map(LoggedCall::parse).collect();
    let [quiet, blocked, contradictory, trail] = read.as_slice() else { panic!("four records") };
    let quiet = quiet.as_ref().unwrap();
    assert_eq!(&*quiet.provider_request_id, "bb98d9a8-bd9a-47ca-976b-f165ef1f8b67");
    assert_eq!((quiet.model.as_str(), &*quiet.region), ("anthropic.claude-3-haiku-20240307-v1:0", "us-west-2"));
    assert_eq!(quiet.at, Timestamp::from_micros(1_747_318_642_000_000));
    assert_eq!(quiet.price(&book()).map(|quote| quote.total()), Ok(PicoUsd::ZERO));
    assert!(quiet.price_guardrails(&book()).is_none());
    let blocked = blocked.as_ref().unwrap();
    assert_eq!(blocked.normalised(), Err(Finding::UsageUnknown), "the record has no counts");
    assert_eq!(blocked.price_guardrails(&book()).unwrap().unwrap().total(), usd("0.00015"));
    assert_eq!(contradictory.as_ref().unwrap().normalised(), Err(Finding::UsageInconsistent), "a total of 2000 of nothing");
    assert_eq!(*trail, Err(LogRecordError::OtherSchema), "a CloudTrail event");
}

#[test]
fn a_call_that_is_charged_by_its_time_has_no_amount_in_the_log() {
    let bought =
        BOOK.replace("per_million_tokens = { input", "tokens = \"included\"\nper_item = { request_second = \"0.002\" }\n# { input");
    let book = PriceBook::parse("p", &bought).unwrap();
    let call = LoggedCall::parse(&generated(1, INPUT, "")).unwrap();
    assert_eq!(call.price(&book), Err(Finding::MissingPrice));
}

#[test]
fn the_records_counts_and_the_answers_own_are_joined() {
    let plain = LoggedCall::parse(&generated(1, INPUT, "")).unwrap();
    let usage = plain.normalised().unwrap().usage;
    assert_eq!((usage.input, usage.cache_read, usage.cache_write_5m, usage.output), (1150, 1000, 50, 10));
    assert_eq!(plain.price(&book()).unwrap().total(), usd("0.0000825"));
    let body = r#", "outputBodyJson": {"usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 1160, "cacheReadInputTokens": 1000,
        "cacheWriteInputTokens": 50, "cacheDetails": [{"ttl": "1h", "inputTokens": 20}, {"ttl": "5m", "inputTokens": 30}]}, "serviceTier": {"type": "flex"}}"#;
    let with_body = LoggedCall::parse(&generated(2, INPUT, body)).unwrap();
    let usage = with_body.normalised().unwrap().usage;
    assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (30, 20));
    assert_eq!(with_body.service, ServiceTier::Flex);
    assert_eq!(with_body.price(&book()), Err(Finding::MissingPrice), "the book has no flex tier");
    let anthropic = r#", "outputBodyJson": {"usage": {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 50, "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 0}}}"#;
    let own = LoggedCall::parse(&generated(3, INPUT, anthropic).replace("\"Converse\"", "\"InvokeModel\"")).unwrap();
    assert_eq!(own.normalised().unwrap(), Normalised { usage: plain.normalised().unwrap().usage, version: 4 });
    let contradicting = LoggedCall::parse(&generated(4, &INPUT.replace("100,", "101,"), body)).unwrap();
    assert_eq!(contradicting.normalised(), Err(Finding::UsageInconsistent), "record and answer say different counts");
}

#[test]
fn a_record_agrees_with_the_counts_that_were_recorded_and_with_no_others() {
    let plain = LoggedCall::parse(&generated(1, INPUT, "")).unwrap();
    let usage = plain.normalised().unwrap().usage;
    assert!(plain.agrees_with(Some(&usage)) && !plain.agrees_with(None));
    let hourly = TokenUsage { cache_write_5m: 20, cache_write_1h: 30, reasoning: 5, ..usage };
    assert!(plain.agrees_with(Some(&hourly)), "the record does not tell lifetimes and reasoning");
    let detailed = r#", "outputBodyJson": {"usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 1160, "cacheReadInputTokens": 1000,
        "cacheWriteInputTokens": 50, "cacheDetails": [{"ttl": "1h", "inputTokens": 50}]}}"#;
    assert!(!LoggedCall::parse(&generated(2, INPUT, detailed)).unwrap().agrees_with(Some(&hourly)), "this one does");
    let others = [
        TokenUsage { input: usage.input + 1, ..usage },
        TokenUsage { cache_read: 0, ..usage },
        TokenUsage { cache_write_5m: 0, ..usage },
        TokenUsage { output: 11, ..usage },
    ];
    assert!(others.iter().all(|other| !plain.agrees_with(Some(other))));
    let without = generated(3, r#""input": {},"#, "").replace(r#", "outputTokenCount": 10"#, "");
    let without = LoggedCall::parse(&without).unwrap();
    assert!(without.agrees_with(None) && without.agrees_with(Some(&TokenUsage::default())) && !without.agrees_with(Some(&usage)));
}

#[test]
fn a_count_under_two_names_must_be_the_same() {
    let nova = r#", "outputBodyJson": {"usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 1160, "cacheReadInputTokens": 1000,
        "cacheReadInputTokenCount": 1000, "cacheWriteInputTokenCount": 50}}"#;
    let agreeing = LoggedCall::parse(&generated(1, INPUT, nova)).unwrap();
    assert_eq!(agreeing.normalised().map(|normal| normal.usage.input), Ok(1150));
    for wrong in [nova.replace("TokenCount\": 1000", "TokenCount\": 1001"), nova.replace("1160", "-1160"), nova.replace("1160", "\"many\"")]
    {
        let call = LoggedCall::parse(&generated(1, INPUT, &wrong)).unwrap();
        assert_eq!(call.normalised(), Err(Finding::UsageInconsistent), "{wrong}");
    }
}

#[test]
fn a_failed_call_without_counts_is_free() {
    let failed = generated(1, r#""errorCode": "ThrottlingException", "input": {},"#, "").replace(r#", "outputTokenCount": 10"#, "");
    assert!(LoggedCall::parse(&failed).unwrap().is_free());
    assert!(!LoggedCall::parse(&generated(1, r#""errorCode": "ModelStreamErrorException","#, "")).unwrap().is_free());
}

// LOG-34, LOG-35, LOG-36
#[test]
fn calls_and_attempts_are_matched_without_guessing() {
    let id = |number: u8| format!("018f0000-0000-7000-8000-0000000000{number:02x}");
    let tagged =
        |number, own| LoggedCall::parse(&generated(number, &format!(r#""requestMetadata": {{"custody_request": "{own}"}},"#), "")).unwrap();
    let attempt = |own: u8, attempt, provider: Option<&str>| RecordedCall {
        request_id: id(own).parse().unwrap(),
        attempt,
        provider_request_id: provider.map(Into::into),
    };
    let logged = [tagged(0, id(0)), tagged(1, id(1)), tagged(0, id(0)), tagged(2, id(2)), tagged(3, id(3)), tagged(4, "not an id".into())];
    let recorded =
        [attempt(1, 1, None), attempt(0, 1, Some("bedrock-0")), attempt(2, 1, None), attempt(2, 2, None), attempt(3, 1, Some("elsewhere"))];
    let both = |logged, recorded, by| Match::Both { logged, recorded, by };
    assert_eq!(
        matches(&logged, &recorded),
        [
            both(0, 1, JoinedBy::ProviderRequestId),
            Match::Repeated(2),
            both(1, 0, JoinedBy::OwnRequestId),
            Match::OnlyLogged(3),
            Match::OnlyLogged(4),
            Match::OnlyLogged(5),
            Match::OnlyRecorded(2),
            Match::OnlyRecorded(3),
            Match::OnlyRecorded(4),
        ]
    );
}

#[test]
fn a_thousand_generated_records_parse_price_and_join() {
    let texts: Vec<String> = (0..1000).map(|number| generated(number, INPUT, "")).collect();
    let logged: Vec<LoggedCall> = texts.iter().map(|text| LoggedCall::parse(text).unwrap()).collect();
    let attempt = |(number, call): (usize, &LoggedCall)| RecordedCall {
        request_id: format!("018f0000-0000-7000-8000-{number:012x}").parse().unwrap(),
        attempt: 1,
        provider_request_id: Some(call.provider_request_id.clone()),
    };
    let mut recorded: Vec<RecordedCall> = logged.iter().enumerate().map(attempt).collect();
    recorded.reverse();
    assert!(matches(&logged, &recorded).iter().all(|found| matches!(found, Match::Both { by: JoinedBy::ProviderRequestId, .. })));
    let mut sum = Sum::default();
    logged.iter().for_each(|call| sum.add(call.price(&book()).map(|quote| quote.total())));
    assert_eq!((sum.pico(), sum.priced()), (82_500_000 * 1000, 1000));
}

#[test]
fn hostile_records_are_refused_and_never_quoted() {
    let good = generated(1, INPUT, "");
    let swapped = |from: &str, to: &str| LoggedCall::parse(&good.replace(from, to)).unwrap_err();
    assert_eq!(swapped("\"requestId\"", "\"id\""), LogRecordError::Absent("requestId"));
    assert_eq!(swapped("\"bedrock-1\"", "\"\""), LogRecordError::Unusable("requestId"));
    assert_eq!(swapped("2026-11-21T10:00:01Z", "yesterday"), LogRecordError::Unusable("timestamp"));
    assert_eq!(swapped("foundation-model/", "foundation-model/a b"), LogRecordError::Unusable("modelId"));
    assert_eq!(swapped("ModelInvocationLog", "Secret"), LogRecordError::OtherSchema);
    for (from, to) in [
        ("\"inputTokenCount\": 100", "\"inputTokenCount\": -1"),
        ("\"inputTokenCount\": 100", "\"inputTokenCount\": \"Secret\""),
        ("\"Converse\"", "7"),
    ] {
        let error = swapped(from, to);
        assert!(matches!(error, LogRecordError::Form { .. }) && !error.to_string().contains("Secret"), "{error}");
    }
    let deep = format!(r#", "outputBodyJson": {{"trace": {}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(LoggedCall::parse(&generated(1, INPUT, &deep)).map(|call| call.guardrail_units.len()).unwrap_or(0), 0);
    for cut in 0..good.len() {
        assert!(LoggedCall::parse(&good[..cut]).is_err(), "{cut}");
    }
}

/// The whole public file, where it lies beside the checkout.
#[test]
fn every_public_record_is_read_or_said_to_be_of_another_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/logs/bedrock_panther.jsonl");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: {path} is absent");
        return;
    };
    let (mut calls, mut others) = (0, 0);
    for line in text.lines() {
        let row: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> = serde_json::from_str(line).unwrap();
        match LoggedCall::parse(row["record"].get()) {
            Ok(call) => {
                calls += 1;
                println!(
                    "{} {}: {:?}",
                    call.operation,
                    call.provider_request_id,
                    call.price(&book()).map(|quote| quote.total().to_string())
                );
            }
            Err(error) => {
                assert_eq!(error, LogRecordError::OtherSchema);
                others += 1;
            }
        }
    }
    assert_eq!((calls, others), (8, 5));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*", place in 0_usize..600) {
        let _ = LoggedCall::parse(&text);
        let mut altered = generated(1, INPUT, "");
        if altered.is_char_boundary(place.min(altered.len())) {
            altered.insert_str(place.min(altered.len()), &text);
        }
        let _ = LoggedCall::parse(&altered);
    }
}
