use custody_lake::TextState;
use custody_testkit::store::CommitFault;

use super::world::{DAY, NOON, TEXT, World};

const REDACTED: &str = "please write to [EMAIL], she has the contract";

#[tokio::test]
async fn a_text_is_kept_sealed_and_redacted_and_opens_with_the_key_of_its_unit() {
    let world = World::new().await;
    let record = world.sealed(|_| ()).await;
    world.log([record.clone(), World::end(&record)]);
    world.run().await;
    let rows = world.rows();
    assert_eq!(rows.len(), 1, "what closes a request is no row");
    assert_eq!((rows[0].state, rows[0].redactions.as_deref()), (TextState::Kept, Some(r#"{"EMAIL":1}"#)));
    assert_eq!(world.opened(&rows[0], &record).await, (TEXT.to_owned(), REDACTED.to_owned()));
    assert_eq!(rows[0].commitment, record.commitment.0);
    assert_eq!(world.table.state().transactions.get("custody/position/journal/test"), Some(&2), "both were consumed");
    let figures = world.metrics.figures();
    assert_eq!((figures.kept, figures.redactions.get("EMAIL")), (1, Some(&1)));
}

#[tokio::test]
async fn nothing_that_can_be_read_stands_in_rows_or_in_the_vault() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await, world.claimed().await]);
    world.run().await;
    let rows = format!("{:?}", world.rows());
    assert!(!rows.contains("anna.muster") && !rows.contains("contract"), "{rows}");
    let holds = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|found| found == needle);
    let sealed = world.rows().into_iter().flat_map(|row| [row.sealed, row.redacted_sealed]).flatten();
    let everything: Vec<Vec<u8>> = world.objects.contents().into_iter().map(|bytes| bytes.to_vec()).chain(sealed).collect();
    assert!(everything.len() > 6);
    for needle in [b"muster".as_slice(), b"contract", b"EMAIL"] {
        assert!(!everything.iter().any(|bytes| holds(bytes, needle)));
    }
}

#[tokio::test]
async fn a_large_text_moves_from_the_edge_to_rest_and_leaves_the_edge_only_when_its_row_is_there() {
    let world = World::new().await;
    let record = world.claimed().await;
    world.log([record.clone()]);
    world.faults.next(CommitFault::Failed);
    world.settle(&mut world.ingest()).await.expect_err("the commit fails");
    assert_eq!((world.claims("edge"), world.rows().len()), (1, 0));
    world.run().await;
    assert_eq!((world.claims("edge"), world.claims("rest")), (0, 2));
    let row = &world.rows()[0];
    assert_eq!((row.sealed.as_ref(), row.redacted_sealed.as_ref()), (None, None));
    assert_eq!(world.opened(row, &record).await, (TEXT.to_owned(), REDACTED.to_owned()));
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_still_lets_go_of_the_edge() {
    for fault in [CommitFault::LandedUnheard, CommitFault::LandedAsConflict] {
        let world = World::new().await;
        world.log([world.claimed().await]);
        world.faults.next(fault);
        world.run().await;
        world.assert_each_once(1);
        assert_eq!(world.claims("edge"), 0, "{fault:?}");
    }
}

/// An erasure that comes between sealing and committing: no row is made under the key that it destroyed.
#[tokio::test]
async fn a_key_that_is_destroyed_before_the_commit_has_the_batch_sealed_again() {
    use custody_lake::{CommitError, TableStore};

    use crate::{
        Decode,
        content::{ContentDecoder, VaultedContentStore},
    };

    let world = World::new().await;
    world.log([world.sealed(|_| ()).await]);
    let step = world.step();
    let store = VaultedContentStore::new(step.clone(), world.table.clone());
    let (texts, _) = ContentDecoder.decode("journal/test", &world.log.records());
    let staged = store.stage(texts).await.unwrap();
    let unit = world.units().list(&"acme".parse().unwrap(), None).await.unwrap();
    let unit = unit.into_iter().chain(world.units().list_all().await.unwrap()).next().unwrap();
    world.forget("acme", Some("p_anna"), NOON).await;
    assert!(world.units().destroy(&unit.unit, unit.key).await.unwrap());
    let state = store.snapshot().await.unwrap();
    let refused = store.commit(&state, staged, &[], uuid::Uuid::from_u128(99)).await;
    assert!(matches!(refused, Err(CommitError::Failed(_))), "{refused:?}");
    assert!(world.rows().is_empty());
    assert_eq!(world.metrics.figures().staged_again, 1);
    world.settle(&mut world.ingest_over(&step)).await.unwrap();
    assert_eq!(world.states(), [(TextState::Forgotten, Some("forgotten".to_owned()))]);
    assert!(world.rows()[0].sealed.is_none() && world.units().list_all().await.unwrap().is_empty());
}

/// Without a tombstone, as after a key that was lost: the next text of the unit gets another key.
#[tokio::test]
async fn a_step_does_not_seal_with_a_key_that_it_found_destroyed() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    let record = world.sealed(|_| ()).await;
    world.log([record.clone()]);
    world.settle(&mut ingest).await.unwrap();
    let (unit, first) = World::unit_of(&world.rows()[0]);
    world.units().destroy(&unit, first).await.unwrap();
    let record = world.sealed(|_| ()).await;
    world.log([record.clone()]);
    world.settle(&mut ingest).await.expect_err("the cached key is found out");
    world.settle(&mut ingest).await.unwrap();
    let rows = world.rows();
    assert_ne!(World::unit_of(&rows[1]).1, first);
    assert_eq!(world.opened(&rows[1], &record).await.0, TEXT);
}

#[tokio::test]
async fn keys_of_the_days_open_until_their_retention_is_over_and_no_longer() {
    let world = World::new().await;
    let late = world.sealed(|record| record.expires_on += 400).await;
    let step = world.step();
    assert!(step.destroy_keys(None).await.unwrap().destroyed.is_empty());
    world.clock.set(NOON + 8 * DAY);
    assert_eq!(step.destroy_keys(Some(custody_seal::edge::EdgeDay::from_number(20_500))).await.unwrap().destroyed, []);
    assert_eq!(step.destroy_keys(None).await.unwrap().destroyed.len(), 1);
    world.log([late]);
    world.settle(&mut world.ingest_over(&step)).await.unwrap();
    assert_eq!(world.states(), [(TextState::Unopened, Some("sealed_key_unknown".to_owned()))]);
}
