//! Q-06, RDY-06: `queries/data_handling.sql` says of each workflow what is kept, by which rule, and of what share of its requests.

use crate::{
    Parameters, QueryOptions,
    golden::table,
    tail::FollowerConfig,
    test_lake::{example_with_texts, session_over},
};

const QUERY: &str = include_str!("../../../queries/data_handling.sql");

#[tokio::test]
async fn what_is_kept_of_a_workflow_and_what_is_not() {
    let session = session_over(example_with_texts(), 20, FollowerConfig::default());
    let parameters = Parameters::parse(["from_day=2026-11-20", "before_day=2026-11-22"]).unwrap();
    let found = table(&session, QUERY, &QueryOptions { parameters, ..QueryOptions::default() }).await.unwrap();
    let rows: Vec<Vec<&str>> = found.lines().skip(2).map(|line| line.split('|').map(str::trim).collect()).collect();
    let expected = [
        ["tickets", "support.answer", "none@3", "NULL", "NULL", "NULL", "5", "0", "0.0", "0", "0", "0", "NULL"],
        ["tickets", "support.answer", "quality@3", "prompt", "quality-review", "short", "1", "1", "100.0", "1", "120", "0", "2026-12-20"],
        [
            "tickets",
            "support.answer",
            "quality@3",
            "response",
            "quality-review",
            "short",
            "1",
            "1",
            "100.0",
            "1",
            "70000",
            "1",
            "2026-12-20",
        ],
    ];
    assert_eq!(rows, expected, "{found}");
}
