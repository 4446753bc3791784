//! `custody reveal` beside a running `up`: every attempt is in SQL once, whoever is killed (D12, LOG-20).

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::harness::{Up, custody, header, number, post_chat, sql};

const NOBODYS: &str = "019a0000-0000-7000-8000-000000000002";

fn reveal(data: &Path, key: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(custody());
    command.arg("reveal").args(arguments).arg("--data-dir").arg(data).args(["--format", "json"]).env("CUSTODY_KEY", key);
    command
}

/// Exit code, and the one JSON object of the answer.
fn answer(command: &mut Command) -> (i32, Value) {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let answer = serde_json::from_str(said.trim()).unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), answer)
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap()
}

#[test]
fn every_attempt_is_in_sql_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let up = Up::start(data);
    let key = up.key("acme");
    let body = json!({ "model": "support.answer", "messages": [{ "role": "user", "content": "Where is my parcel?" }] });
    let response = post_chat(&up.address, &key, &body);
    let request = header(&response, "x-request-id").to_owned();

    let (exit, said) = answer(&mut reveal(data, &key, &[&request, "--reason", "mail of jane.roe@example.com", "--redacted"]));
    assert_eq!((exit, code(&said)), (3, "reveal_nothing_here"), "nothing is kept by default: {said}");
    let (exit, said) = answer(&mut reveal(data, &key, &[&request]));
    assert_eq!((exit, code(&said)), (3, "reveal_reason_missing"));
    let (exit, said) = answer(&mut reveal(data, "ck_wrong_key", &[&request, "--reason", "x"]));
    assert_eq!((exit, code(&said)), (3, "invalid_api_key"));
    let (exit, said) = answer(&mut reveal(data, &key, &["approve", NOBODYS]));
    assert_eq!((exit, code(&said)), (3, "reveal_approval_unknown"));
    let (exit, said) = answer(&mut reveal(data, &key, &["pending"]));
    assert_eq!((exit, said), (0, json!({ "waiting": [] })));

    let told = "select tenant, principal, action, decision, code, reason, request_id from accesses order by time";
    let rows = sql(data, told);
    let codes: Vec<_> = rows.iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["reveal_nothing_here", "reveal_reason_missing", "invalid_api_key", "reveal_approval_unknown"]);
    assert_eq!(rows[0]["reason"], "mail of [EMAIL]");
    assert_eq!((&rows[0]["tenant"], &rows[0]["principal"]), (&json!("acme"), &json!("support-app")));
    assert!(rows.iter().take(3).all(|row| row["request_id"] == *request));
    up.stop();
    assert_eq!(sql(data, told), rows, "the same from the lake");
}

/// kill -9 of the command, and of `up`, at any moment: what was answered is recorded, and nothing twice.
#[test]
fn kills_lose_and_double_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let up = Up::start(data);
    let key = up.key("acme");
    let mut answered = 0;
    let mut running = Some(up);
    for round in 0..8 {
        let mut killed = reveal(data, &key, &[NOBODYS, "--reason", "killed"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(15 * round));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let (exit, said) = answer(&mut reveal(data, &key, &[NOBODYS, "--reason", "answered"]));
        assert_eq!((exit, code(&said)), (3, "reveal_nothing_here"));
        answered += 1;
        if round % 3 == 2 {
            running.take().unwrap().kill_9();
            running = Some(Up::start(data));
        }
    }
    let check = || {
        let recorded = number(data, "select count(*) from accesses where reason = 'answered'");
        assert_eq!(recorded, answered, "each answered attempt");
        assert_eq!(number(data, "select count(*) - count(distinct event_id) from accesses"), 0, "none twice");
        assert!(number(data, "select count(*) from accesses where reason = 'killed'") <= 8);
    };
    check();
    running.take().unwrap().stop();
    check();
    let letters = number(data, "select count(*) from dead_letters");
    assert_eq!(letters, 0, "nothing was altered");
}
