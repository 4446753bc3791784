use std::time::Duration;

use custody_types::Fault;

use crate::{
    Parameters, QueryConfig, QueryError, QueryOptions,
    golden::table,
    test_lake::{session, session_with},
};

async fn failure(sql: &str, options: QueryOptions) -> QueryError {
    table(&session(10), sql, &options).await.unwrap_err()
}

#[tokio::test]
async fn a_query_ends_when_its_time_is_over() {
    let options = QueryOptions { timeout: Duration::from_millis(200), ..QueryOptions::default() };
    let error = failure("select count(*) from generate_series(1, 100000000000)", options).await;
    assert_eq!(error.code(), "sql_timed_out");
}

#[tokio::test]
async fn a_row_limit_cuts_and_says_so() {
    for (limit, cut) in [(3, true), (34, false), (35, false)] {
        let options = QueryOptions { rows: Some(limit), ..QueryOptions::default() };
        let mut run = session(10).query("select event_id from events", &options).await.unwrap();
        let mut rows = 0;
        while let Some(batch) = run.next_batch().await.unwrap() {
            rows += batch.num_rows();
        }
        assert_eq!((rows, run.was_cut()), (limit.min(34), cut), "limit {limit}");
    }
}

#[tokio::test]
async fn a_row_limit_leaves_an_explanation_whole() {
    let options = QueryOptions { rows: Some(1), ..QueryOptions::default() };
    assert!(table(&session(10), "explain select count(*) from events", &options).await.unwrap().contains("logical_plan"));
}

#[tokio::test]
async fn one_session_cannot_change_what_another_sees() {
    let session = session(10);
    for sql in ["create view events as select 1", "drop view costs", "create schema s", "create function f() returns int return 1"] {
        let error = table(&session, sql, &QueryOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), "sql_read_only", "{sql}: {error}");
    }
}

#[tokio::test]
async fn files_of_the_machine_are_no_tables() {
    for sql in ["select * from '/etc/passwd'", "select * from read_csv('/etc/passwd')", "select * from \"file:///etc/passwd\""] {
        assert_eq!(failure(sql, QueryOptions::default()).await.code(), "sql_plan", "{sql}");
    }
}

#[tokio::test]
async fn a_query_that_is_too_large_fails_and_says_so() {
    let small = QueryConfig { memory_bytes: 1 << 20, ..QueryConfig::default() };
    let sql = "select repeat('x', 200) || value as pad from generate_series(1, 300000) order by pad desc";
    let error = table(&session_with(10, &small), sql, &QueryOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), "sql_too_large", "{error}");
}

#[tokio::test]
async fn a_sort_that_does_not_fit_memory_goes_to_the_spill_folder() {
    let folder = tempfile::tempdir().unwrap();
    let spill_dir = Some(folder.path().to_owned());
    let spilling = QueryConfig { memory_bytes: 128 << 20, spill_dir, parallelism: 1, ..QueryConfig::default() };
    let sql = "select repeat('x', 200) || value as pad from generate_series(1, 600000) order by pad desc";
    let mut run = session_with(10, &spilling).query(sql, &QueryOptions::default()).await.unwrap();
    let mut rows = 0;
    while let Some(batch) = run.next_batch().await.unwrap() {
        rows += batch.num_rows();
    }
    assert_eq!(rows, 600_000);
}

#[tokio::test]
async fn only_asked_for_columns_are_read() {
    let sql = "select tenant, event_date, sum(cost_usd) from costs group by 1, 2";
    let text = session(10).explain(sql, &QueryOptions::default()).await.unwrap();
    assert!(text.contains("TableScan: events projection=[kind, tenant, cost_amount_pico, event_date]"), "{text}");
}

#[tokio::test]
async fn a_parameter_takes_the_type_of_its_place() {
    let parameters = Parameters::parse(["day=2026-11-20", "least=1"]).unwrap();
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    let sql = "select count(*) as n from outcomes where event_date = $day and attempts > $least";
    let text = table(&session(10), sql, &options).await.unwrap();
    assert!(text.ends_with("1\n"), "{text}");
}

#[tokio::test]
async fn columns_say_what_they_mean() {
    let columns = session(10).columns("costs").await.unwrap();
    let told = columns.iter().filter(|column| !column.meaning.is_empty()).count();
    assert_eq!(told, columns.len(), "{columns:?}");
    assert!(columns.iter().any(|column| column.name == "cost_usd" && column.sql_type == "decimal(38,12)"));
}

#[tokio::test]
async fn names_to_complete_are_tables_columns_and_functions() {
    let names = session(10).names().await.unwrap();
    for name in ["events", "costs", "cost_usd", "request_id", "pico_usd", "sum", "row_number"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}
