//! What the port promises, on a folder and on S3.

use super::{
    storage::{Access, log_store},
    *,
};
use crate::{
    LakeReader, LakeRoot, decode,
    testing::{LaterRows, Meddle, PARTITION, append, meddling, on_folder_and_s3, position, records_of_day, tools},
};

on_folder_and_s3!(
    rows_and_positions_land_in_one_version,
    of_two_stale_handles_one_lands,
    a_lost_answer_is_resolved_by_looking_for_the_commit,
    transactions_are_read_back_from_a_checkpoint,
    two_that_make_the_tables_at_once_get_the_same_tables,
    two_that_upgrade_at_once_both_get_the_upgraded_table,
    an_upgrade_goes_on_beside_appends,
);

async fn events(lake: &LakeRoot, start: u64) -> EventStore {
    let (clock, ids) = tools(start);
    EventStore::open(lake, clock, ids).await.unwrap()
}

async fn events_with(lake: &LakeRoot, start: u64, coming: impl IntoIterator<Item = Meddle>) -> EventStore {
    let (clock, ids) = tools(start);
    let plain = log_store(lake, "events", Access::Write).unwrap();
    EventStore::over(meddling(&plain, coming), clock, ids).await.unwrap()
}

fn rows(seed: u64, from: u64, count: usize) -> EventRows {
    decode(PARTITION, &records_of_day(seed, from, count).0).rows
}

async fn rows_and_positions_land_in_one_version(lake: &LakeRoot) {
    let store = events(lake, 1).await;
    assert!(LakeReader::open(lake).await.is_err(), "there is no dead letter table yet");
    let (clock, ids) = tools(2);
    DeadLetterStore::open(lake, clock, ids).await.unwrap();
    assert_eq!(append(&store, rows(1, 0, 20), 20).await, 1);
    assert_eq!(append(&store, rows(2, 20, 30), 50).await, 2);
    let reader = LakeReader::open(lake).await.unwrap();
    let snapshot = reader.snapshot().await.unwrap();
    assert_eq!((snapshot.version, snapshot.positions[PARTITION].get()), (2, 50));
    let found = reader.event_ids_at(crate::testing::source(), 1..=1000).await.unwrap();
    assert_eq!(found.len(), 50);
}

async fn of_two_stale_handles_one_lands(lake: &LakeRoot) {
    let (left, right) = (events(lake, 1).await, events(lake, 2).await);
    let (of_left, of_right) = (left.snapshot().await.unwrap(), right.snapshot().await.unwrap());
    assert_eq!(of_left, of_right);
    let (for_left, for_right) = (left.stage(rows(1, 0, 20)).await.unwrap(), right.stage(rows(1, 0, 20)).await.unwrap());
    let (id_left, id_right) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (transactions, on_left) = (position(20), &of_left);
    let both =
        tokio::join!(left.commit(on_left, for_left, &transactions, id_left), right.commit(&of_right, for_right, &transactions, id_right),);
    let (winner, loser) = match &both {
        (Ok(1), Err(CommitError::Conflict { version: 0 })) => (id_left, id_right),
        (Err(CommitError::Conflict { version: 0 }), Ok(1)) => (id_right, id_left),
        other => panic!("{other:?}"),
    };
    assert_eq!(left.find_commit(winner, 0).await.unwrap(), Some(1));
    assert_eq!(right.find_commit(loser, 0).await.unwrap(), None);
    assert_eq!(left.snapshot().await.unwrap(), right.snapshot().await.unwrap());
}

async fn a_lost_answer_is_resolved_by_looking_for_the_commit(lake: &LakeRoot) {
    events(lake, 1).await;
    for (round, meddle, landed) in [(0, Meddle::LoseAnswer, Some(1)), (1, Meddle::LoseRequest, None)] {
        let store = events_with(lake, 2 + round, [meddle]).await;
        let state = store.snapshot().await.unwrap();
        let staged = store.stage(rows(1, 0, 20)).await.unwrap();
        let commit_id = Uuid::from_u128(round.into());
        let told = store.commit(&state, staged.clone(), &position(20), commit_id).await;
        assert!(matches!(told, Err(CommitError::Ambiguous { .. })), "{told:?}");
        let now = store.snapshot().await.unwrap();
        assert_eq!(store.find_commit(commit_id, state.version).await.unwrap(), landed);
        assert_eq!(now.version > state.version, landed.is_some());
        if landed.is_none() {
            store.commit(&now, staged, &position(40), commit_id).await.unwrap();
            assert_eq!(store.find_commit(commit_id, state.version).await.unwrap(), Some(2));
        }
    }
}

async fn transactions_are_read_back_from_a_checkpoint(lake: &LakeRoot) {
    let store = events(lake, 1).await;
    for round in 1..=55_u64 {
        let state = store.snapshot().await.unwrap();
        let transactions = vec![(format!("custody/seq/{}", round % 3), i64::try_from(round).unwrap())];
        store.commit(&state, Staged::default(), &transactions, Uuid::from_u128(round.into())).await.unwrap();
    }
    let status = crate::table_status(lake, crate::LakeTable::Events, 0).await.unwrap();
    assert_eq!((status.version, status.checkpoint_version), (55, Some(49)));
    assert_eq!(events(lake, 2).await.snapshot().await.unwrap(), store.snapshot().await.unwrap());
}

async fn two_that_make_the_tables_at_once_get_the_same_tables(lake: &LakeRoot) {
    let (left, right) = tokio::join!(events(lake, 1), events(lake, 2));
    assert_eq!(left.snapshot().await.unwrap().version, 0);
    assert_eq!(right.snapshot().await.unwrap().version, 0);
}

async fn two_that_upgrade_at_once_both_get_the_upgraded_table(lake: &LakeRoot) {
    let older = events(lake, 1).await;
    append(&older, rows(1, 0, 20), 20).await;
    let other = lake.clone();
    let faster = Meddle::Before(Box::pin(async move {
        let (clock, ids) = tools(2);
        DeltaStore::<LaterRows>::open(&other, clock, ids).await.unwrap();
    }));
    let plain = log_store(lake, "events", Access::Write).unwrap();
    let (clock, ids) = tools(3);
    let slower = DeltaStore::<LaterRows>::over(meddling(&plain, [faster]), clock, ids).await.unwrap();
    assert_eq!(slower.snapshot().await.unwrap().version, 2, "the table was upgraded once");
    append(&slower, later_rows(20), 40).await;
    append(&older, rows(3, 40, 20), 60).await;
}

async fn an_upgrade_goes_on_beside_appends(lake: &LakeRoot) {
    events(lake, 1).await;
    let coming = (0..3).map(|round| {
        let lake = lake.clone();
        Meddle::Before(Box::pin(async move {
            let from = 20 * round;
            append(&events(&lake, 10 + round).await, rows(round, from, 20), from + 20).await;
        }))
    });
    let plain = log_store(lake, "events", Access::Write).unwrap();
    let (clock, ids) = tools(3);
    let upgraded = DeltaStore::<LaterRows>::over(meddling(&plain, coming), clock, ids).await.unwrap();
    assert_eq!(upgraded.snapshot().await.unwrap().version, 4);
    append(&upgraded, later_rows(60), 80).await;
}

fn later_rows(from: u64) -> LaterRows {
    let mut decoder = crate::decode::EventDecoder::with_schemas(crate::testing::later_schemas()).unwrap();
    LaterRows(decoder.decode(PARTITION, &records_of_day(2, from, 20).0).rows.batches().to_vec())
}
