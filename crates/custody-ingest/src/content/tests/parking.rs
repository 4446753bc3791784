use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use custody_lake::{StoreError, TextState};
use custody_seal::edge::EdgeDay;
use custody_testkit::store::CommitFault;
use custody_types::{Seq, Source, Timestamp};

use super::world::{DAY, Lookup, NOON, TEXT, World};
use crate::{EventLookup, content::unpark};

/// The lake, and how often it was asked.
struct CountedLookup(Lookup, AtomicUsize);

#[async_trait]
impl EventLookup for CountedLookup {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.event_ids_at(source, seqs).await
    }
}

#[tokio::test]
async fn texts_wait_beside_the_log_while_the_key_service_is_away_and_become_rows_once() {
    let world = World::new().await;
    let records = [world.sealed(|_| ()).await, world.claimed().await, world.sealed(|record| record.tenant = "other".into()).await];
    world.log(records.clone());
    world.keys.set_away(true);
    world.run().await;
    assert!(world.rows().is_empty());
    assert!(world.parked()[0].starts_with("parked/20500/journal=test/0.") && world.parked().len() == 1);
    assert_eq!(world.table.state().transactions.get("custody/position/journal/test"), Some(&3), "the log may go on");
    assert_eq!(world.unpark().await.unwrap().waiting, 1);
    world.keys.set_away(false);
    let unparked = world.unpark().await.unwrap();
    assert_eq!((unparked.places, unparked.texts, unparked.waiting), (1, 3, 0));
    world.assert_each_once(3);
    assert_eq!(world.opened(&world.rows()[1], &records[1]).await.0, TEXT);
    assert_eq!((world.parked().len(), world.claims("edge")), (0, 0));
    assert_eq!(world.unpark().await.unwrap(), Default::default());
    let figures = world.metrics.figures();
    assert_eq!((figures.parked, figures.unparked, figures.kept), (3, 3, 3));
}

#[tokio::test]
async fn a_key_service_that_refuses_loses_no_text_either() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    world.keys.set_refusing(true);
    world.settle(&mut world.ingest_over(&world.step_with(Duration::from_secs(3600)))).await.unwrap();
    assert_eq!((world.rows().len(), world.parked().len()), (0, 1), "waiting would not have helped");
    world.keys.set_refusing(false);
    world.unpark().await.unwrap();
    world.assert_each_once(1);
}

#[tokio::test]
async fn only_the_texts_whose_key_can_t_be_had_are_parked() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    world.log([world.sealed(|_| ()).await]);
    world.settle(&mut ingest).await.unwrap();
    world.keys.set_away(true);
    world.log([world.sealed(|record| record.tenant = "other".into()).await, world.sealed(|_| ()).await]);
    world.settle(&mut ingest).await.unwrap();
    assert_eq!(world.rows().len(), 2, "the unit's key is cached");
    assert!(world.parked()[0].starts_with("parked/20500/journal=test/1.") && world.parked().len() == 1);
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    world.assert_each_once(3);
}

#[tokio::test]
async fn a_short_absence_is_waited_out_and_nothing_is_parked() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    let keys = world.keys.clone();
    let back = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        keys.set_away(false);
    });
    world.settle(&mut world.ingest_over(&world.step_with(Duration::from_secs(60)))).await.unwrap();
    back.await.unwrap();
    world.assert_each_once(1);
    assert!(world.parked().is_empty());
}

/// Parked, then a crash before the positions were committed: the loop still has the records, so they are not unparked yet.
#[tokio::test]
async fn what_the_loop_has_still_before_it_is_not_unparked() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await, world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.faults.next(CommitFault::Failed);
    world.settle(&mut world.ingest()).await.expect_err("the commit fails");
    assert_eq!(world.parked().len(), 1);
    world.keys.set_away(false);
    assert_eq!(world.unpark().await.unwrap().waiting, 1);
    assert!(world.rows().is_empty());
    world.run().await;
    world.assert_each_once(2);
    assert_eq!(world.unpark().await.unwrap().texts, 0, "they are rows already");
    world.assert_each_once(2);
    assert!(world.parked().is_empty());
}

#[tokio::test]
async fn an_unparking_whose_answer_was_lost_is_not_repeated() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict, CommitFault::Lost, CommitFault::Failed] {
        let world = World::new().await;
        world.log([world.sealed(|_| ()).await, world.sealed(|_| ()).await]);
        world.keys.set_away(true);
        world.run().await;
        world.keys.set_away(false);
        world.faults.next(fault);
        let first = world.unpark().await;
        assert_eq!(first.unwrap().failed, usize::from(fault == CommitFault::Failed), "{fault:?}");
        world.unpark().await.unwrap();
        world.assert_each_once(2);
        assert!(world.parked().is_empty());
    }
}

#[tokio::test]
async fn who_is_forgotten_while_parked_stays_forgotten() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await, world.sealed(|record| record.person = Some("p_bob".into())).await]);
    world.keys.set_away(true);
    world.run().await;
    world.forget("acme", Some("p_anna"), NOON).await;
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    assert_eq!(world.states(), [(TextState::Forgotten, Some("forgotten".to_owned())), (TextState::Kept, None)]);
}

#[tokio::test]
async fn the_key_of_a_day_outlives_what_is_parked_under_it() {
    let world = World::new().await;
    world.log([world.sealed(|record| record.expires_on += 400).await]);
    world.keys.set_away(true);
    world.run().await;
    world.keys.set_away(false);
    world.clock.set(NOON + 30 * DAY);
    let step = world.step();
    let kept = step.destroy_keys(None).await.unwrap();
    let day = EdgeDay::from_number(20_500);
    assert!(!kept.destroyed.contains(&day) && kept.still_needed.contains(&day), "{kept:?}");
    world.unpark().await.unwrap();
    world.assert_each_once(1);
    assert_eq!(world.states(), [(TextState::Kept, None)]);
    assert!(step.destroy_keys(None).await.unwrap().destroyed.contains(&day));
}

/// A text that waits for good, such as one whose unit key can't be made, must not keep every copy of the stream readable.
#[tokio::test]
async fn one_parked_text_does_not_keep_the_keys_of_later_days() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.run().await;
    world.keys.set_away(false);
    world.edge().prepare(Timestamp::from_micros(NOON + 5 * DAY)).await.unwrap();
    world.clock.set(NOON + 30 * DAY);
    let kept = world.step().destroy_keys(None).await.unwrap();
    let of_days = |days: &[i32]| days.iter().map(|day| EdgeDay::from_number(*day)).collect::<Vec<_>>();
    assert_eq!((kept.destroyed, kept.still_needed), (of_days(&[20_501, 20_505, 20_506]), of_days(&[20_500])));
}

/// Each call to a service that does not answer takes as long as its time limit: one for each person would hold the log up for hours.
#[tokio::test]
async fn a_key_service_that_is_away_is_not_asked_for_every_person() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    world.log([world.sealed(|_| ()).await]);
    world.settle(&mut ingest).await.unwrap();
    world.keys.set_away(true);
    for person in 0..40 {
        world.log([world.sealed(|record| record.person = Some(format!("p_{person}").into())).await]);
    }
    world.log([world.sealed(|_| ()).await]);
    let before = world.keys.calls();
    world.settle(&mut ingest).await.unwrap();
    assert!(world.keys.calls() - before <= 3, "{} calls", world.keys.calls() - before);
    assert_eq!(world.rows().len(), 2, "the key of the last is at hand");
    world.keys.set_away(false);
    world.unpark().await.unwrap();
    world.assert_each_once(42);
}

/// A hundred thousand questions to a lake take a day.
#[tokio::test]
async fn the_lake_is_asked_once_for_all_texts_of_a_place() {
    let world = World::new().await;
    for _ in 0..30 {
        world.log([world.sealed(|_| ()).await]);
    }
    world.keys.set_away(true);
    world.run().await;
    world.keys.set_away(false);
    let lookup = CountedLookup(Lookup(world.table.clone()), AtomicUsize::new(0));
    let unparked = unpark(&world.step(), &world.table, &lookup, world.ids.as_ref()).await.unwrap();
    assert_eq!((unparked.texts, lookup.1.load(Ordering::SeqCst)), (30, 1));
    world.assert_each_once(30);
}

/// A long outage ends while no text comes. The next hiccup is another one, and is waited out.
#[tokio::test]
async fn patience_begins_anew_with_another_absence() {
    let world = World::new().await;
    let step = world.step_with(Duration::from_secs(60));
    let clock = world.clock.clone();
    let passing = tokio::spawn(async move {
        for second in 1.. {
            tokio::time::sleep(Duration::from_millis(3)).await;
            clock.set(NOON + second * 1_000_000);
        }
    });
    let mut ingest = world.ingest_over(&step);
    world.log([world.sealed(|_| ()).await]);
    world.keys.set_away(true);
    world.settle(&mut ingest).await.unwrap();
    passing.abort();
    assert_eq!(world.parked().len(), 1, "the patience is over");
    world.log([world.sealed(|_| ()).await]);
    world.settle(&mut ingest).await.unwrap();
    assert_eq!(world.parked().len(), 2, "a long outage holds the log up once");
    world.clock.set(NOON + 600 * 1_000_000);
    world.log([world.sealed(|_| ()).await]);
    let keys = world.keys.clone();
    let back = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        keys.set_away(false);
    });
    world.settle(&mut ingest).await.unwrap();
    back.await.unwrap();
    assert_eq!((world.rows().len(), world.parked().len()), (1, 2));
}
