//! Texts that a rule keeps, in the real binary: sealed on disk, told of in SQL, and nowhere in the clear.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::harness::{Up, custody, header, post_chat, sql};

const CANARY: &str = "canary-kept-41c07e9d52";

const RULES: &str = r#"
version = 2
[retention.short]
days = 30
[[rule]]
name = "support-quality"
capability = ["support.answer"]
tenant = ["acme"]
capture = ["prompt", "response"]
purpose = "quality-review"
retention = "short"
"#;

fn question(before: &str) -> Value {
    json!({ "model": "support.answer", "user": "anna", "messages": [{ "role": "user", "content": format!("{before}{CANARY}") }] })
}

fn assert_nowhere(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path);
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{}", path.display());
        }
    }
}

/// LOG-17, LOG-19, LOG-33: nothing is kept by default; by a rule it is sealed, and the trail says which rule and what.
#[test]
fn a_rule_keeps_sealed_text_and_the_default_keeps_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let up = Up::start(data);
    let (acme, globex) = (up.key("acme"), up.key("globex"));
    assert!(post_chat(&up.address, &acme, &question("")).starts_with("HTTP/1.1 200"));
    up.stop();
    assert!(!data.join("content").exists() && !data.join("vault").exists(), "without a rule there is no vault");

    fs::write(data.join("workspace/data-handling.toml"), RULES).unwrap();
    let up = Up::start(data);
    let kept = post_chat(&up.address, &acme, &question(""));
    assert!(kept.starts_with("HTTP/1.1 200"), "{kept}");
    assert!(post_chat(&up.address, &globex, &question("")).starts_with("HTTP/1.1 200"));
    let request = header(&kept, "x-request-id");
    let rows = sql(data, &format!("select kind, handling_rule from events where request_id = '{request}' order by seq"));
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["request", "prompt", "content", "route", "invocation", "validation", "cost", "content", "outcome"]);
    assert!(rows.iter().all(|row| row["handling_rule"] == "support-quality@2"));
    let rules = sql(data, "select tenant, handling_rule, count(*) as n from events where kind = 'content' group by 1, 2");
    assert_eq!(rules, [json!({ "tenant": "acme", "handling_rule": "support-quality@2", "n": 2 })]);
    up.stop();
    assert!(data.join("content").exists() && data.join("vault/edge").exists());
    assert_nowhere(data);
}

/// A kill in the middle of a request whose text is kept: the next start ends it and goes on.
#[test]
fn a_kill_in_mid_request_leaves_nothing_open_and_nothing_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let up = Up::start(data);
    let acme = up.key("acme");
    up.stop();
    fs::write(data.join("workspace/data-handling.toml"), RULES).unwrap();
    let up = Up::start(data);
    let (address, key) = (up.address.clone(), acme.clone());
    std::thread::spawn(move || drop(std::panic::catch_unwind(|| post_chat(&address, &key, &question("simulate: delay_ms=60000 ")))));
    std::thread::sleep(Duration::from_secs(2));
    up.kill_9();
    assert_nowhere(data);
    let up = Up::start(data);
    assert!(post_chat(&up.address, &acme, &question("")).starts_with("HTTP/1.1 200"));
    let abandoned = sql(data, "select count(*) as n from events where kind = 'outcome' and handling_rule = 'support-quality@2'");
    assert_eq!(abandoned[0]["n"], 2, "the one that was cut off, and the one after");
    up.stop();
    assert_nowhere(data);
}

fn custody_run(data: &Path, arguments: &[&str]) -> String {
    let output = Command::new(custody()).args(arguments).arg("--data-dir").arg(data).output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// LOG-38: where the rule asks for pseudonyms the tenant gets a key of its own for them; it goes with the tenant.
#[test]
fn pseudonyms_have_a_key_of_their_tenant_that_its_erasure_destroys() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let up = Up::start(data);
    let acme = up.key("acme");
    up.stop();
    let rules = format!("{RULES}redaction = \"linked\"\n[redaction.linked]\nactions = {{ email = \"pseudonym\" }}\n");
    fs::write(data.join("workspace/data-handling.toml"), rules).unwrap();
    let up = Up::start(data);
    assert!(post_chat(&up.address, &acme, &question("to anna.muster@example.org: ")).starts_with("HTTP/1.1 200"));
    let key = data.join("vault/pseudonyms/acme.key");
    for _ in 0..600 {
        if key.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(key.exists(), "ingest asks for the tenant's key");
    up.stop();
    assert_nowhere(data);
    let status = custody_run(data, &["vault", "status"]);
    assert!(status.contains("keys of pseudonyms    1: acme"), "{status}");
    let erase = ["erase", "--tenant", "acme", "--reason", "contract ended"];
    let plan = custody_run(data, &erase);
    assert!(plan.contains("pseudonyms   their key") && key.exists(), "{plan}");
    let certificate = custody_run(data, &[&erase[..], &["--yes"]].concat());
    assert!(certificate.contains("the key of the tenant's pseudonyms") && !key.exists(), "{certificate}");
    assert!(custody_run(data, &["vault", "status"]).contains("keys of pseudonyms    0:"));
}
