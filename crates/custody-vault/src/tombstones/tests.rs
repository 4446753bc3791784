use super::*;
use crate::testing::{DyingObjects, NOON, TestFolder};

fn tombstone(tenant: &str, person: Option<&str>, micros: i64) -> Tombstone {
    let person = person.map(|person| person.parse().unwrap());
    Tombstone::new(tenant.parse().unwrap(), person, Timestamp::from_micros(micros))
}

#[tokio::test]
async fn the_frozen_document_is_read_and_written_as_it_stands() {
    let frozen = include_str!("../../tests/fixtures/tombstone-v1.json");
    let folder = TestFolder::new().await;
    let made = tombstone("acme", Some("p-1f3a"), NOON.micros());
    Tombstones::new(folder.shared()).put(&made).await.unwrap();
    let written = folder.objects.get(&"forgotten/acme/p-1f3a.json".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(written, frozen);
    assert_eq!(serde_json::from_str::<Tombstone>(frozen).unwrap(), made);
}

#[tokio::test]
async fn what_is_forgotten_is_forgotten_up_to_the_latest_time() {
    let folder = TestFolder::new().await;
    let tombstones = Tombstones::new(folder.shared());
    for micros in [100, 300, 200] {
        tombstones.put(&tombstone("acme", Some("p-1"), micros)).await.unwrap();
    }
    tombstones.put(&tombstone("other", None, 50)).await.unwrap();
    let forgotten = tombstones.all().await.unwrap();
    let covers = |tenant: &str, person: Option<&str>, micros| {
        let person = person.map(|person| person.parse().unwrap());
        forgotten.covers(&tenant.parse().unwrap(), person.as_ref(), Timestamp::from_micros(micros))
    };
    assert!(covers("acme", Some("p-1"), 300) && !covers("acme", Some("p-1"), 301));
    assert!(!covers("acme", Some("p-2"), 1) && !covers("acme", None, 1));
    assert!(covers("other", Some("p-1"), 50) && covers("other", None, 50) && !covers("other", None, 51));
    assert_eq!(forgotten.len(), 2);
}

#[tokio::test]
async fn of_some_persons_their_own_tombstones_and_their_tenants_are_read() {
    let folder = TestFolder::new().await;
    let tombstones = Tombstones::new(folder.shared());
    for (tenant, person) in [("acme", Some("p-1")), ("acme", Some("p-2")), ("acme", None), ("acme2", None), ("other", Some("p-1"))] {
        tombstones.put(&tombstone(tenant, person, 100)).await.unwrap();
    }
    folder.objects.put(&"forgotten/acme/p-9.json".parse().unwrap(), bytes::Bytes::from_static(b"{}")).await.unwrap();
    let (acme, other): (TenantId, TenantId) = ("acme".parse().unwrap(), "other".parse().unwrap());
    let [first, second, ninth]: [PersonPseudonym; 3] = ["p-1", "p-2", "p-9"].map(|person| person.parse().unwrap());
    let found = tombstones.of([(&acme, Some(&first)), (&other, None), (&other, Some(&second))]).await.unwrap();
    let mut expected = Forgotten::default();
    expected.add(&tombstone("acme", Some("p-1"), 100));
    expected.add(&tombstone("acme", None, 100));
    assert_eq!(found, expected);
    assert!(tombstones.of([(&acme, Some(&ninth))]).await.is_err(), "one that can't be read stops who asks for it");
    assert!(tombstones.of([]).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_tombstones_at_once_leave_the_latest() {
    let folder = TestFolder::new().await;
    let tombstones = Tombstones::new(folder.shared());
    let puts = (1..=16).map(|micros| {
        let tombstones = tombstones.clone();
        async move { tombstones.put(&tombstone("acme", None, micros)).await }
    });
    futures::future::join_all(puts).await.into_iter().for_each(|put| put.unwrap());
    let kept = tombstones.get(&"acme".parse().unwrap(), None).await.unwrap().unwrap();
    assert_eq!(kept.made_up_to().micros(), 16);
}

#[tokio::test]
async fn a_tombstone_that_cannot_be_read_stops_all() {
    let folder = TestFolder::new().await;
    folder.objects.put(&"forgotten/acme/p-1.json".parse().unwrap(), bytes::Bytes::from_static(b"{}")).await.unwrap();
    assert!(Tombstones::new(folder.shared()).all().await.is_err());
}

#[tokio::test]
async fn a_death_while_a_tombstone_is_set_leaves_the_old_or_the_new_one() {
    for last_is_done in [false, true] {
        for steps in 0..4 {
            let folder = TestFolder::new().await;
            Tombstones::new(folder.shared()).put(&tombstone("acme", None, 1)).await.unwrap();
            let dying = Tombstones::new(DyingObjects::after(folder.shared(), steps, last_is_done));
            let set = dying.put(&tombstone("acme", None, 2)).await;
            let kept = Tombstones::new(folder.shared()).get(&"acme".parse().unwrap(), None).await.unwrap().unwrap();
            assert!(kept.made_up_to().micros() == 2 || (set.is_err() && kept.made_up_to().micros() == 1));
        }
    }
}
