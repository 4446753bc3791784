//! One governed request, from HTTP to SQL (C-09).

use std::process::Command;

use serde_json::json;

use crate::harness::{Up, custody, header, post_chat, sql};

fn question() -> serde_json::Value {
    json!({ "model": "support.answer", "messages": [{ "role": "user", "content": "Where is my parcel? My code is canary-7f3a9." }] })
}

/// PATH-13, PATH-14, PATH-15, PRN-11: every event kind of an answered request is in SQL at once, and no text of it is anywhere.
#[test]
fn an_answered_request_is_in_sql_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path());
    let response = post_chat(&up.address, &up.key("acme"), &question());
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let request_id = header(&response, "x-request-id");
    let trail = sql(folder.path(), &format!("select kind, tenant from events where request_id = '{request_id}' order by seq"));
    let kinds: Vec<_> = trail.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["request", "prompt", "route", "invocation", "validation", "cost", "outcome"]);
    assert!(trail.iter().all(|row| row["tenant"] == "acme"));
    let cost = sql(folder.path(), &format!("select cast(cost_usd as varchar) as usd from costs where request_id = '{request_id}'"));
    assert_eq!(cost[0]["usd"], header(&response, "x-custody-cost-usd"));
    up.stop();
    assert_no_canary(folder.path());
}

/// Law 3: the prompt's text is in no file that the product wrote.
fn assert_no_canary(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_canary(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(13).any(|window| window == b"canary-7f3a9."), "{}", path.display());
        }
    }
}

/// LOG-16, PATH-03: a refused request leaves its trail, and no invocation.
#[test]
fn a_refused_request_leaves_a_trail_and_no_invocation() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path());
    let mut body = question();
    body["model"] = json!("ticket.classify");
    let response = post_chat(&up.address, &up.key("globex"), &body);
    assert!(response.starts_with("HTTP/1.1 403"), "{response}");
    let request_id = header(&response, "x-request-id");
    let trail = sql(folder.path(), &format!("select kind from events where request_id = '{request_id}' order by seq"));
    let kinds: Vec<_> = trail.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["request", "outcome"]);
}

/// A restart keeps what was there and numbers on: lake and journal are read together, each event once.
#[test]
fn a_restart_neither_loses_nor_doubles() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path());
    let key = up.key("acme");
    post_chat(&up.address, &key, &question());
    up.stop();
    let up = Up::start(folder.path());
    post_chat(&up.address, &key, &question());
    up.kill_9();
    let rows = sql(folder.path(), "select count(*) as n, count(distinct event_id) as d from events where request_id is not null");
    assert_eq!((rows[0]["n"].as_i64(), rows[0]["d"].as_i64()), (Some(14), Some(14)));
}

/// A workspace that lost a file is not filled up with the example: its keys would take the place of those in use.
#[test]
fn a_workspace_that_lost_its_main_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Up::start(folder.path()).stop();
    let workspace = folder.path().join("workspace");
    let keys = std::fs::read(workspace.join("keys.toml")).unwrap();
    std::fs::remove_file(workspace.join("custody.toml")).unwrap();
    let ended = Command::new(custody()).args(["up", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("custody.toml"), "{said}");
    assert_eq!(std::fs::read(workspace.join("keys.toml")).unwrap(), keys);
    assert!(!workspace.join("custody.toml").exists());
}
