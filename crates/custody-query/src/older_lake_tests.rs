//! Queries over a lake that version 1.0 made, before ingest of this version opened it and added its columns.

use std::{path::Path, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
};
use custody_event::{FieldType, RELEASED_SCHEMAS_JSON, SchemaTree};
use custody_lake::{DeadLetterStore, DeltaStore, EventRows, LakeRows, StoreError, TableDefinition, decode, event_columns};

use crate::{
    QueryOptions, SqlSession, VIEWS,
    delta_tests::{Fixed, append, session_over},
    golden::{answer, cases, table},
    test_lake::{PARTITION, example, session},
};

/// Rows as version 1.0 stored them.
struct OldRows(Vec<RecordBatch>);

impl LakeRows for OldRows {
    fn definition() -> TableDefinition {
        TableDefinition { columns: old_columns(), ..EventRows::definition() }
    }

    fn into_batches(self) -> Result<Vec<RecordBatch>, StoreError> {
        Ok(self.0)
    }
}

/// Today's columns that the schema of version 1.0 names, and those of the log, which follow the event's.
fn old_columns() -> SchemaRef {
    let (all, old) = (event_columns(), SchemaTree::parse(RELEASED_SCHEMAS_JSON[0]).unwrap());
    let of_old = |name: &str| {
        old.fields().iter().any(|field| match &field.field_type {
            FieldType::Record(kind) => kind.fields().iter().any(|of_kind| format!("{}_{}", field.name, of_kind.name) == name),
            _ => field.name == name,
        })
    };
    let of_log = all.index_of("log_partition").unwrap();
    let kept = all.fields().iter().enumerate().filter(|(place, field)| *place >= of_log || of_old(field.name()));
    Arc::new(Schema::new(kept.map(|(_, field)| Arc::clone(field)).collect::<Vec<_>>()))
}

/// The example's first records in a lake of version 1.0, the rest in the log after it.
async fn old_lake(folder: &Path, stored: usize) -> SqlSession {
    let events = DeltaStore::<OldRows>::open(folder, Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    DeadLetterStore::open(folder, Arc::new(Fixed), Arc::new(Fixed)).await.unwrap();
    let records = example();
    if stored > 0 {
        let all = decode(PARTITION, &records[..stored]).rows;
        let places: Vec<usize> = old_columns().fields().iter().map(|field| event_columns().index_of(field.name()).unwrap()).collect();
        let old = all.batches().iter().map(|batch| batch.project(&places).unwrap()).collect();
        append(&events, OldRows(old), &records[..stored]).await;
    }
    session_over(folder, records).await
}

#[test]
fn version_1_0_had_fewer_columns() {
    let (old, new) = (old_columns(), event_columns());
    assert!(old.index_of("cost_amount_pico").is_ok() && old.index_of("event_date").is_ok());
    for later in ["cost_charged_for", "cost_items", "route_serving", "guardrail_side", "invocation_service_tier"] {
        assert!(old.index_of(later).is_err() && new.index_of(later).is_ok(), "{later}");
    }
}

#[tokio::test]
async fn table_and_views_have_all_columns_of_this_version() {
    let folder = tempfile::tempdir().unwrap();
    let old = old_lake(folder.path(), 20).await;
    for name in ["events", "dead_letters"].into_iter().chain(VIEWS.iter().map(|view| view.name)) {
        assert_eq!(old.columns(name).await.unwrap(), session(20).columns(name).await.unwrap(), "{name}");
    }
}

/// The example has nothing that version 1.0 could not say, so every answer is the one on file.
#[tokio::test]
async fn queries_give_the_answers_on_file_over_a_lake_of_version_1_0() {
    let all = example().len();
    for stored in [0, all / 2, all] {
        let folder = tempfile::tempdir().unwrap();
        let old = old_lake(folder.path(), stored).await;
        for (input, expected) in cases() {
            assert_eq!(answer(&old, &input).await.trim_end(), expected, "{stored} stored: {input}");
        }
    }
}

#[tokio::test]
async fn columns_that_the_lake_lacks_are_null_and_can_be_filtered_by() {
    let folder = tempfile::tempdir().unwrap();
    let old = old_lake(folder.path(), example().len()).await;
    let one_number = async |sql: &str| {
        let found = table(&old, sql, &QueryOptions::default()).await.unwrap();
        found.lines().nth(2).unwrap().trim().parse::<i64>().unwrap()
    };
    for (sql, expected) in [
        ("select count(*) from costs where charged_for is null and items is null", 3),
        ("select count(*) from costs where charged_for = 'guardrail'", 0),
        ("select count(*) from costs where coalesce(charged_for, 'model') = 'model' and tenant = 'acme'", 2),
        ("select count(*) from guardrails where side = 'input'", 0),
        ("select count(coalesce(cost_charged_for, '')) from (select cost_charged_for from events)", 34),
        ("select count(guardrail_findings) + count(route_serving) from events", 0),
    ] {
        assert_eq!(one_number(sql).await, expected, "{sql}");
    }
    let limited = "select route_serving, kind, cost_items, seq from events where kind = 'cost' limit 2";
    assert_eq!(table(&old, limited, &QueryOptions::default()).await.unwrap().lines().count(), 2 + 2);
    let whole = table(&old, "select * from events", &QueryOptions::default()).await.unwrap();
    assert_eq!(whole.lines().count(), 2 + 34);
}
