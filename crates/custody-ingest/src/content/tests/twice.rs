//! One text that comes twice, by whatever way: it is one row, and no copy is lost for the other.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use custody_lake::{StoreError, TableStore};
use custody_types::{Seq, Source};
use custody_vault::Objects;
use uuid::Uuid;

use super::world::{FakeContent, Lookup, TEXT, World};
use crate::{
    EventLookup, IngestMetrics,
    content::{VaultStep, unpark},
    tests::fixture::Counted,
};

/// The lake, of which the parked texts become rows right after its first answer.
struct ThenUnparked {
    table: FakeContent,
    step: Arc<VaultStep>,
    ids: Arc<Counted>,
    answers: AtomicUsize,
}

#[async_trait]
impl EventLookup for ThenUnparked {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        let answer = Lookup(self.table.clone()).event_ids_at(source, seqs).await;
        if self.answers.fetch_add(1, Ordering::SeqCst) == 0 {
            unpark(&self.step, &self.table, &Lookup(self.table.clone()), self.ids.as_ref()).await.unwrap();
        }
        answer
    }

    fn may_forget(&self) -> bool {
        true
    }
}

/// The old member of a group of readers has gathered less than the new one when it parks: it takes nothing away.
#[tokio::test]
async fn what_another_reader_parked_from_the_same_place_on_is_not_parked_over() {
    let world = World::new().await;
    for _ in 0..6 {
        world.log([world.sealed(|_| ()).await]);
    }
    world.keys.set_away(true);
    world.run().await;
    world.store_over(&world.step()).stage(world.texts_up_to(3)).await.unwrap();
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    world.assert_each_once(6);
    assert!(world.parked().is_empty());
}

/// Of two readers each has the same first and last record waiting, and one has more between: its transaction is not the other's.
#[tokio::test]
async fn what_stands_between_two_parked_records_is_not_taken_for_stored() {
    let world = World::new().await;
    for _ in 0..3 {
        world.log([world.sealed(|_| ()).await]);
    }
    world.keys.set_away(true);
    let mut between = world.texts_up_to(3);
    between.0.remove(1);
    world.store_over(&world.step()).stage(between).await.unwrap();
    world.run().await;
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    world.unpark().await.unwrap();
    world.assert_each_once(3);
    assert!(world.parked().is_empty());
}

/// The copy that comes again is asked about before the parked one becomes a row, and committed after it.
#[tokio::test]
async fn a_text_that_is_unparked_while_its_copy_is_on_its_way_is_one_row() {
    let world = World::new().await;
    let lookup = ThenUnparked { table: world.table.clone(), step: world.step(), ids: world.ids.clone(), answers: AtomicUsize::new(0) };
    let metrics = Arc::new(IngestMetrics::default());
    let mut ingest = world.ingest_asking(&world.step(), Arc::new(lookup), Arc::clone(&metrics));
    world.log([world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.settle(&mut ingest).await.unwrap();
    assert_eq!((world.rows().len(), world.parked().len()), (0, 1));
    world.keys.set_away(false);
    world.log_again(0);
    world.settle(&mut ingest).await.unwrap();
    world.assert_each_once(1);
    assert_eq!(metrics.figures().duplicates, 1);
    assert_eq!(world.table.state().transactions.get("custody/position/journal/test"), Some(&2), "the copy was read");
}

/// The other way round: the copy that comes again becomes a row while the first is parked.
#[tokio::test]
async fn a_text_whose_copy_became_a_row_is_not_unparked() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.run().await;
    world.keys.set_away(false);
    world.log_again(0);
    world.run().await;
    assert_eq!(world.unpark().await.unwrap().texts, 0);
    let positions: Vec<u64> = world.rows().iter().map(|row| row.position.get()).collect();
    assert_eq!(positions, [1]);
    assert!(world.parked().is_empty());
}

/// A text that was forgotten since, and comes again: its place is empty as it should be, and nobody has to look.
#[tokio::test]
async fn a_copy_of_what_the_table_forgot_is_no_late_record() {
    let world = World::new().await;
    let metrics = Arc::new(IngestMetrics::default());
    let mut ingest = world.ingest_asking(&world.step(), Arc::new(Lookup(world.table.clone())), Arc::clone(&metrics));
    world.log([world.sealed(|_| ()).await, world.sealed(|_| ()).await]);
    world.settle(&mut ingest).await.unwrap();
    world.table.change_rows(|rows| rows.0.clear());
    world.log_again(0);
    world.settle(&mut ingest).await.unwrap();
    assert_eq!((world.rows().len(), metrics.figures().other_alarms), (1, 0));
}

/// Two processes may each make a key of one unit. What the one put beside its row is not replaced by what the other puts.
#[tokio::test]
async fn a_large_text_sealed_by_two_processes_opens_with_the_key_that_its_row_names() {
    let world = World::new().await;
    let record = world.claimed().await;
    world.log([record.clone()]);
    let first = world.store_over(&world.step());
    let staged = first.stage(world.texts_up_to(1)).await.unwrap();
    let key = world.objects.names().into_iter().find(|name| name.starts_with("units/")).unwrap().parse().unwrap();
    let bytes = world.objects.get(&key).await.unwrap().unwrap();
    world.objects.delete(&key).await.unwrap();
    world.store_over(&world.step()).stage(world.texts_up_to(1)).await.unwrap();
    world.objects.put(&key, bytes).await.unwrap();
    first.commit(&first.snapshot().await.unwrap(), staged, &[], Uuid::from_u128(99)).await.unwrap();
    let row = world.rows().remove(0);
    assert_eq!(world.opened(&row, &record).await.0, TEXT);
}

/// A process that lacks the key of the day keeps the text as it came: beside what another sealed, not in its place.
#[tokio::test]
async fn a_large_text_that_did_not_open_here_does_not_replace_what_opened_elsewhere() {
    let world = World::new().await;
    let record = world.claimed().await;
    world.log([record.clone()]);
    let first = world.store_over(&world.step());
    let staged = first.stage(world.texts_up_to(1)).await.unwrap();
    let mut misbound = world.texts_up_to(1);
    misbound.0[0].context.ordinal = 3;
    world.store_over(&world.step()).stage(misbound).await.unwrap();
    first.commit(&first.snapshot().await.unwrap(), staged, &[], Uuid::from_u128(99)).await.unwrap();
    assert_eq!(world.opened(&world.rows()[0], &record).await.0, TEXT);
}
