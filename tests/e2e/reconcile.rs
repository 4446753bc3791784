//! `custody price reconcile`: Bedrock's log of invocations beside a trail (LOG-34 to LOG-36).

use std::io::Write;

use custody_event::{Cost, Invocation};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::sql,
    trail::{Told, Trail, at_bedrock, cost_with_facts, guardrail_cost, price, request_id, text, write},
};

const LARGE: &str = "maker.large";
const CANARY: &str = "canary-51bd0e";

fn call(number: i64, provider_id: Option<&str>, costs: Vec<Cost>) -> Told {
    let provider_request_id = provider_id.map(text);
    Told { invocation: Invocation { provider_request_id, ..at_bedrock(1, LARGE, [100 + number, 20, 10]) }, costs }
}

fn failed(attempt: i32) -> Invocation {
    let (status, http_status) = (text("failed"), Some(503));
    let answered = at_bedrock(attempt, LARGE, [0, 0, 0]);
    Invocation { status, http_status, input_tokens: None, cache_read_tokens: None, output_tokens: None, ..answered }
}

/// 20 tokens of the input are cache reads.
fn amount(number: i64) -> i64 {
    (80 + number) * 3_000_000 + 20 * 300_000 + 10 * 15_000_000
}

/// Ten calls, of which the fourth does not know Bedrock's id, the fifth has a guardrail, and the eighth an attempt that failed.
fn trail() -> TempDir {
    let mut trail = Trail::default();
    for number in 1..=10 {
        let id = format!("bedrock-{number}");
        let mut costs = vec![cost_with_facts(1, LARGE, Some(amount(number)))];
        if number == 5 {
            costs.push(guardrail_cost(1, 2, 300_000_000));
        }
        let mut attempts = vec![call(number, (number != 4).then_some(id.as_str()), costs)];
        if number == 8 {
            attempts.push(Told { invocation: failed(2), costs: vec![] });
        }
        trail.request(number, "acme", attempts);
    }
    trail.stored()
}

/// The records of the trail's own calls, as Bedrock would have logged them, made from the events.
fn records(folder: &TempDir) -> Vec<Value> {
    let rows = sql(
        folder.path(),
        "select request_id, provider_request_id as id, model, started_at, input_tokens, cache_read_tokens, output_tokens
         from invocations where status = 'completed' order by started_at",
    );
    let units = |number: usize| json!({ "guardrail": { "inputAssessment": { "g": { "invocationMetrics": { "usage": { "contentPolicyUnits": number } } } } } });
    let record = |(place, row): (usize, &Value)| {
        let count = |name: &str| row[name].as_i64().unwrap();
        let mut body = json!({ "output": { "message": { "content": [{ "text": CANARY }] } } });
        if place == 4 {
            body["trace"] = units(2);
        }
        json!({
            "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": format!("{}Z", &row["started_at"].as_str().unwrap()[..19]),
            "accountId": "123456789012", "identity": { "arn": "arn:aws:sts::123456789012:assumed-role/gateway/custody" },
            "region": "eu-central-1", "requestId": row["id"].as_str().unwrap_or("bedrock-4"), "operation": "Converse", "modelId": LARGE,
            "requestMetadata": { "custody_request": row["request_id"] },
            "input": { "inputContentType": "application/json", "inputBodyJson": { "messages": [CANARY] },
                "inputTokenCount": count("input_tokens") - count("cache_read_tokens"), "cacheReadInputTokenCount": count("cache_read_tokens") },
            "output": { "outputContentType": "application/json", "outputBodyJson": body, "outputTokenCount": count("output_tokens") }
        })
    };
    rows.iter().enumerate().map(record).collect()
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn reconcile(folder: &TempDir, files: &[&str]) -> (i32, String) {
    let (code, output, error) = price(folder, &[&["reconcile"], files].concat());
    assert!(!output.contains(CANARY) && !error.contains(CANARY), "{output}\n{error}");
    let squeezed = output.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n");
    (code, squeezed + &error)
}

/// Plain and compressed, bare and as collectors wrap it, in one file of several compressed parts.
#[test]
fn a_log_of_the_trails_own_calls_agrees() {
    let folder = trail();
    let records = records(&folder);
    let wrapped = json!({ "source": "collector", "record": records[3] });
    let exported = json!({ "timestamp": 1, "message": records[4].to_string() });
    let parts = [gzip(&lines(&records[5..8])), gzip(&lines(&records[8..]))].concat();
    let plain =
        write(folder.path(), "a.json", lines(&[&records[..3], &[wrapped, exported, json!({ "schemaType": "Other" })]].concat()).as_bytes());
    let compressed = write(folder.path(), "b.json.gz", &parts);
    let (code, output) = reconcile(&folder, &[&plain, &compressed]);
    assert_eq!(code, 0, "{output}");
    let sum = (1..=10).map(amount).sum::<i64>() + 300_000_000;
    let usd = format!("0.{sum:012}");
    for line in [
        "10 calls in 2 files, 1 lines of other kinds passed over, 0 unreadable",
        "matched 10 9 by Bedrock's id, 1 by our label",
        "usage differs 0",
        &format!("amount differs 0 {usd} USD by book test, {usd} USD recorded"),
        "not in the trail 0",
        "not in the log 0",
        "1 further attempts got no answer",
    ] {
        assert!(output.contains(line), "`{line}` is not in\n{output}");
    }
    let (code, output) = reconcile(&folder, &["--each", &plain, &compressed]);
    assert_eq!(
        (code, output.matches("model: 0.0").count(), output.matches("guardrail: 0.000300000000 USD").count()),
        (0, 10, 1),
        "{output}"
    );
}

/// Each way in which log and trail can differ, by itself.
#[test]
fn every_difference_is_found() {
    let folder = trail();
    let good = records(&folder);
    let differs = |name: &str, change: &dyn Fn(&mut Vec<Value>), found: &[&str]| {
        let mut records = good.clone();
        change(&mut records);
        let file = write(folder.path(), name, lines(&records).as_bytes());
        let (code, output) = reconcile(&folder, &[&file]);
        assert_eq!(code, 3, "{name}\n{output}");
        for line in found {
            assert!(output.contains(line), "{name}: `{line}` is not in\n{output}");
        }
    };
    let own = |record: &Value| {
        let mut stranger = record.clone();
        stranger["requestId"] = json!("unknown-1");
        stranger["requestMetadata"] = Value::Null;
        stranger["identity"]["arn"] = json!("arn:aws:iam::123456789012:user/dr.evil");
        stranger
    };
    let stranger = "1 by arn:aws:iam::123456789012:user/dr.evil: maker.large in eu-central-1, 0.000402000000 USD by the book";
    differs("past", &|records| records.push(own(&records[1])), &["not in the trail 1", stranger, "matched 10"]);
    differs(
        "gone",
        &|records| drop(records.remove(1)),
        &["not in the log 1", &format!("request {} attempt 1: not in the log", request_id(2))],
    );
    let usage = "usage differs: logged input 103, of it cache reads 20 and writes 0, output 11; recorded input 103, of it cache reads 20";
    differs("more", &|records| records[2]["output"]["outputTokenCount"] = json!(11), &["usage differs 1", "amount differs 1", usage]);
    differs("fewer", &|records| records[2]["input"]["cacheReadInputTokenCount"] = json!(0), &["usage differs 1"]);
    let unit = "/output/outputBodyJson/trace/guardrail/inputAssessment/g/invocationMetrics/usage/contentPolicyUnits";
    let guarded =
        ["guardrail units differ: logged guardrail_content 3", "guardrail: 0.000450000000 USD by the book, 0.000300000000 USD recorded"];
    differs("units", &|records| *records[4].pointer_mut(unit).unwrap() = json!(3), &guarded);
    let tier = |records: &mut Vec<Value>| records[2]["output"]["outputBodyJson"]["serviceTier"] = json!({ "type": "priority" });
    differs("tier", &tier, &["class of service differs: logged priority"]);
    let contradiction = |records: &mut Vec<Value>| {
        let mut other = records[2].clone();
        other["output"]["outputTokenCount"] = json!(900);
        records.push(other);
    };
    differs("twice", &contradiction, &["contradicts the first record of this call", "logged again 1", "contradicts 1", "usage differs 0"]);
    differs(
        "broken",
        &|records| drop(records[2].as_object_mut().unwrap().remove("requestId")),
        &["1 unreadable", "the record has no `requestId`"],
    );
    let repeated = lines(&[&good[..], &good[..2]].concat());
    let file = write(folder.path(), "repeated", repeated.as_bytes());
    let (code, output) = reconcile(&folder, &[&file]);
    assert!(code == 0 && output.contains("logged again 2"), "a record that comes twice is one call\n{output}");
}

/// Capacity that was bought is charged by a call's time, which the log does not tell: there is no amount, and none of zero.
#[test]
fn the_log_has_no_amount_for_a_call_that_is_charged_by_its_time() {
    let bought = Cost { items: [(text("request_second"), 1)].into_iter().collect(), ..cost_with_facts(1, "bought.large", Some(2_000_000)) };
    let invocation = at_bedrock(1, "bought.large", [100, 0, 10]);
    let mut trail = Trail::default();
    trail.request(
        1,
        "acme",
        vec![Told { invocation: Invocation { provider_request_id: Some(text("bedrock-1")), ..invocation }, costs: vec![bought] }],
    );
    let folder = trail.stored();
    let mut records = records(&folder);
    let agreeing = write(folder.path(), "agreeing", lines(&records).as_bytes());
    let (code, output) = reconcile(&folder, &["--each", &agreeing]);
    assert!(code == 0 && output.contains("model: 0.000002000000 USD by the book, 0.000002000000 USD recorded"), "{output}");
    records[0]["output"]["outputTokenCount"] = json!(11);
    let more = write(folder.path(), "more", lines(&records).as_bytes());
    let (code, output) = reconcile(&folder, &[&more]);
    assert!(code == 3 && output.contains("model: no amount (missing_price) by the book, 0.000002000000 USD recorded"), "{output}");
    let mut stranger = records[0].clone();
    stranger["modelId"] = json!("bought.large");
    stranger["requestId"] = json!("unknown-1");
    stranger["requestMetadata"] = Value::Null;
    let past = write(folder.path(), "past", lines(&[stranger]).as_bytes());
    let (code, output) = reconcile(&folder, &["--each", &past]);
    assert!(code == 3 && output.contains("without amount: 1 (missing_price)"), "{output}");
}

/// Attempts of other Regions and before or after the log's time are not missed in it; one without an answer may not have been made.
#[test]
fn only_what_the_log_should_tell_is_missed() {
    let folder = trail();
    let records = records(&folder);
    let middle = write(folder.path(), "middle", lines(&records[4..7]).as_bytes());
    let (code, output) = reconcile(&folder, &[&middle]);
    assert!(code == 0 && output.contains("matched 3") && output.contains("not in the log 0"), "{output}");
    let mut elsewhere = [records[0].clone(), records[9].clone()];
    elsewhere.iter_mut().for_each(|record| record["region"] = json!("us-east-1"));
    let file = write(folder.path(), "elsewhere", lines(&elsewhere).as_bytes());
    let (code, output) = reconcile(&folder, &[&file]);
    assert!(code == 0 && output.contains("matched 2") && output.contains("not in the log 0"), "{output}");
    let empty = write(folder.path(), "empty", b"");
    let (code, output) = reconcile(&folder, &[&empty]);
    assert!(code == 0 && output.contains("no call is logged"), "{output}");
}
