use std::sync::Arc;

use custody_types::{LogPosition, LogRecord};

use super::{Follower, FollowerConfig, Seen, Stored, TailError};
use crate::{
    LiveLake, QueryConfig, QueryEngine, QueryError, QueryOptions,
    golden::table,
    test_lake::{PARTITION, TestLake, TestLog, example, record, session_over, stored},
};

fn at(position: u64) -> LogPosition {
    LogPosition::new(position)
}

fn stored_below(position: u64, seen: Seen) -> Stored {
    Stored { below: at(position), letters_below: at(position), seen }
}

async fn rows(follower: &Follower, from: u64) -> Result<usize, TailError> {
    let tail = follower.tail_after(stored_below(from, Seen::default())).await?;
    Ok(tail.events.iter().map(arrow::array::RecordBatch::num_rows).sum())
}

/// LOG-16: what is durable before the question is in the answer.
#[tokio::test]
async fn a_record_that_is_durable_before_the_question_is_in_the_tail() {
    let records = example();
    let log = TestLog::of(records[..10].to_vec());
    let follower = Follower::new(log.reader(4), FollowerConfig::default());
    assert_eq!(rows(&follower, 0).await.unwrap(), 10);
    log.0.lock().unwrap().extend(records[10..13].to_vec());
    assert_eq!(rows(&follower, 0).await.unwrap(), 13);
    assert_eq!(rows(&follower, 7).await.unwrap(), 6);
}

#[tokio::test]
async fn a_snapshot_that_is_ahead_of_the_follower_is_joined_at_its_own_position() {
    let follower = Follower::new(TestLog::of(example()).reader(4), FollowerConfig::default());
    assert_eq!(rows(&follower, 30).await.unwrap(), 4);
    assert!(matches!(rows(&follower, 20).await, Err(TailError::CutOff)), "rows below 30 were never read");
}

#[tokio::test]
async fn what_does_not_fit_the_bound_is_let_go_and_an_older_snapshot_is_cut_off() {
    let config = FollowerConfig { rows: 8, ..FollowerConfig::default() };
    let follower = Follower::new(TestLog::of(example()).reader(4), config);
    assert!(matches!(rows(&follower, 0).await, Err(TailError::CutOff)));
    assert_eq!(rows(&follower, 30).await.unwrap(), 4);
}

#[tokio::test]
async fn a_lake_that_lags_further_than_the_bound_is_said_to_lag() {
    let config = FollowerConfig { rows: 8, ..FollowerConfig::default() };
    let session = session_over(example(), 2, config);
    let refused = session.query("select 1 from events", &QueryOptions::default()).await.err();
    assert!(matches!(refused, Some(QueryError::LakeBehind { rows: 8, .. })), "{refused:?}");
}

/// LOG-16, exactly once: wherever the snapshot ends, the union has each event once.
#[tokio::test]
async fn every_cut_has_every_event_once() {
    let records = example();
    let log = TestLog::of(records.clone());
    let follower = Arc::new(Follower::new(log.reader(3), FollowerConfig::default()));
    let expected: Vec<u64> = (1..=records.len() as u64).collect();
    for stored_records in 0..=records.len() as u64 {
        let lake = TestLake(Arc::new(std::sync::Mutex::new(stored(&records, stored_records))));
        let live = LiveLake::new(Arc::new(lake), vec![Arc::clone(&follower)]);
        let session = QueryEngine::build(&QueryConfig::default(), live).unwrap().session();
        let text = table(&session, "select seq from events order by seq", &QueryOptions::default()).await.unwrap();
        let seqs: Vec<u64> = text.lines().skip(2).map(|line| line.trim().parse().unwrap()).collect();
        assert_eq!(seqs, expected, "stored {stored_records}");
    }
}

#[tokio::test]
async fn a_read_that_was_given_up_half_way_leaves_no_gap() {
    let log = TestLog::of(example());
    let follower = Follower::new(log.reader(2), FollowerConfig::default());
    for _ in 0..20 {
        let mut question = Box::pin(rows(&follower, 0));
        let _ = futures::poll!(question.as_mut());
        let _ = futures::poll!(question.as_mut());
        drop(question);
        tokio::task::yield_now().await;
    }
    assert_eq!(rows(&follower, 0).await.unwrap(), example().len());
}

/// D3: the same place of a source is one event, however often the log repeats it.
#[tokio::test]
async fn what_the_log_repeats_is_seen_once() {
    let records = example();
    let again = |record: &LogRecord, position: u64| LogRecord { position: at(position), ..record.clone() };
    let end = records.len() as u64;
    let mut repeated = records.clone();
    repeated.extend([again(&records[3], end), again(&records[30], end + 1)]);
    let follower = Follower::new(TestLog::of(repeated).reader(4), FollowerConfig::default());
    assert_eq!(rows(&follower, 0).await.unwrap(), records.len());
    let transactions = [("custody/seq/00000000-0000-7000-8000-000000000001".to_owned(), (1 << 40) | 34)].into();
    let tail = follower.tail_after(stored_below(end, Seen::of(&transactions))).await.unwrap();
    assert!(tail.events.is_empty(), "both are at or below the stored mark");
}

#[tokio::test]
async fn bytes_that_no_decoder_reads_are_dead_letters_at_once() {
    let mut records = example();
    let end = records.len() as u64;
    records.push(record(end, b"not an event".to_vec()));
    let session = session_over(records, 10, FollowerConfig::default());
    let sql = "select log_partition, log_position, reason, found_at from dead_letters";
    let text = table(&session, sql, &QueryOptions::default()).await.unwrap();
    assert!(text.contains(&format!("{PARTITION} |           {end} | unknown_schema | NULL")), "{text}");
    let count = table(&session, "select count(*) from events", &QueryOptions::default()).await.unwrap();
    assert!(count.contains(&end.to_string()), "{count}");
}

/// A journal forgets what the lake has stored: a question that holds an older snapshot takes a newer one.
#[tokio::test]
async fn a_log_that_forgot_what_the_snapshot_needs_is_joined_by_a_newer_snapshot() {
    let records = example();
    let log = TestLog::of(records[12..].to_vec());
    let follower = Arc::new(Follower::new(log.reader(4), FollowerConfig::default()));
    let lake = TestLake(Arc::new(std::sync::Mutex::new(stored(&records, 5))));
    let live = LiveLake::new(Arc::new(lake.clone()), vec![follower]);
    assert!(matches!(live.cut().await, Err(QueryError::Log(_))), "no newer version: a gap is an error, never a smaller answer");
    *lake.0.lock().unwrap() = stored(&records, 12);
    assert_eq!(live.cut().await.unwrap().tail_rows, records.len() - 12);
}
