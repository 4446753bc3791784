//! kill -9 of the real `up` under load, again and again (PATH-13, law 2).
//!
//! `CUSTODY_KILLS` sets how often (4 in CI); the pauses come from `CUSTODY_KILL_SEED`, which is printed.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::harness::{Up, custody, number, sql};

#[expect(clippy::disallowed_methods, reason = "the person who runs the test chooses by environment")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// SplitMix64: enough to spread pauses, and a run can be repeated from its seed.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[test]
fn kills_under_load_lose_and_double_nothing() {
    let kills = setting("CUSTODY_KILLS", 4);
    let seed = setting("CUSTODY_KILL_SEED", 1);
    println!("CUSTODY_KILLS={kills} CUSTODY_KILL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, trace_rows(4_000)).unwrap();
    let mut random = seed;
    let mut key = None;
    let mut answered: Vec<String> = Vec::new();
    for round in 0..kills {
        let up = Up::start(&data);
        let key = key.get_or_insert_with(|| up.key("acme")).clone();
        let answers = folder.path().join(format!("answers-{round}.csv"));
        let mut load = Command::new(custody())
            .args(["replay", "--speed", "max", "--patience", "0", "--concurrency", "32", "--capability", "support.answer"])
            .args(["--url", &format!("http://{}", up.address), "--run", &format!("kill-{round}"), "--key", &key])
            .arg("--answers")
            .arg(&answers)
            .arg(&trace)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_an_answer(&answers);
        std::thread::sleep(Duration::from_millis(next(&mut random) % 700));
        up.kill_9();
        load.wait().unwrap();
        answered.extend(std::fs::read_to_string(&answers).unwrap_or_default().lines().map(str::to_owned));
    }
    Up::start(&data).stop();
    assert!(!answered.is_empty(), "no request was answered before a kill");
    check(&data, &answered);
}

/// Load has begun: the kill is to meet requests under way.
fn wait_for_an_answer(answers: &Path) {
    for _ in 0..3_000 {
        if std::fs::metadata(answers).is_ok_and(|file| file.len() > 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no answer within 30 s");
}

fn trace_rows(rows: usize) -> String {
    let lines = (0..rows).map(|row| format!("{row}.0,acme,m,{},{}\n", 10 + row % 900, 1 + row % 40));
    std::iter::once("ts_s,tenant,model,input_tokens,output_tokens\n".to_owned()).chain(lines).collect()
}

fn check(data: &Path, answered: &[String]) {
    let twice = number(data, "select count(*) - count(distinct event_id) from events");
    assert_eq!(twice, 0, "events stored twice");
    let holes = sql(
        data,
        "select source, count(*) as n, min(seq) as first, max(seq) as last from events group by source
         having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*)",
    );
    assert!(holes.is_empty(), "holes: {holes:?}");
    let without_outcome = number(
        data,
        "select count(*) from (select request_id from events where request_id is not null group by request_id
         having sum(case when kind = 'outcome' then 1 else 0 end) <> 1)",
    );
    assert_eq!(without_outcome, 0, "requests without exactly one outcome");
    let complete: std::collections::BTreeSet<String> = sql(
        data,
        "select request_id from events where request_id is not null group by request_id
         having count(*) = 7 and count(distinct kind) = 7 and max(outcome_class) = 'answered'",
    )
    .iter()
    .map(|row| row["request_id"].as_str().unwrap().to_owned())
    .collect();
    let missing: Vec<_> = answered.iter().filter(|request| !complete.contains(*request)).collect();
    assert!(missing.is_empty(), "{} of {} answered requests lack their trail: {missing:?}", missing.len(), answered.len());
    let abandoned = number(data, "select count(*) from outcomes where class = 'abandoned'");
    println!("answered {}, complete {}, abandoned {abandoned}", answered.len(), complete.len());
}
