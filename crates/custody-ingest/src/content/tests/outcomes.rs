//! What becomes of a text that is not as it should be: facts and a reason, never a panic, and nothing lost that came.

use custody_event::{ContentRecord, Octets};
use custody_lake::{DeadLetterReason, TextState};

use super::world::{DAY, NOON, World};

async fn outcome(world: &World, record: ContentRecord) -> (TextState, Option<String>) {
    let before = world.rows().len();
    world.log([record.clone()]);
    world.run().await;
    let rows = world.rows();
    assert_eq!(rows.len(), before + 1);
    let row = rows.last().unwrap();
    match row.state {
        TextState::Kept => assert!(row.sealed.is_some() && row.redacted_sealed.is_some() && row.unit_key.is_some()),
        TextState::Forgotten => assert!(row.sealed.is_none() && row.redacted_sealed.is_none() && row.claim.is_none()),
        TextState::Unopened => assert_eq!(row.sealed, record.sealed.map(|sealed| sealed.0), "what came is kept as it came"),
    }
    (row.state, row.reason.clone())
}

fn unopened(reason: &str) -> (TextState, Option<String>) {
    (TextState::Unopened, Some(reason.to_owned()))
}

/// The binding of a sealed text to its context: fails when the context is left out of what is authenticated.
#[tokio::test]
async fn a_text_does_not_open_as_another_tenants_persons_requests_or_parts() {
    let world = World::new().await;
    let changes: [fn(&mut ContentRecord); 8] = [
        |record| record.tenant = "other".into(),
        |record| record.person = Some("p_bob".into()),
        |record| record.person = None,
        |record| record.request_id = "019a0000-0000-7000-8000-0000000000ff".into(),
        |record| record.part = "response".into(),
        |record| record.ordinal = 1,
        |record| record.purpose = "training".into(),
        |record| record.retention_class = "long".into(),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut record = world.sealed(|_| ()).await;
        change(&mut record);
        assert_eq!(outcome(&world, record).await, unopened("sealed_not_authentic"), "change {place}");
    }
    let sound = world.sealed(|_| ()).await;
    assert_eq!(outcome(&world, sound).await, (TextState::Kept, None));
}

#[tokio::test]
async fn two_texts_whose_bytes_were_swapped_do_not_open() {
    let world = World::new().await;
    let mut prompt = world.sealed(|_| ()).await;
    let mut response = world.sealed(|record| record.part = "response".into()).await;
    std::mem::swap(&mut prompt.sealed, &mut response.sealed);
    std::mem::swap(&mut prompt.commitment, &mut response.commitment);
    assert_eq!(outcome(&world, prompt).await, unopened("sealed_not_authentic"));
    assert_eq!(outcome(&world, response).await, unopened("sealed_not_authentic"));
}

type Alteration = fn(&mut Vec<u8>);

#[tokio::test]
async fn every_kind_of_altered_bytes_is_told_apart() {
    let world = World::new().await;
    let cases: [(Alteration, &str); 6] = [
        (|bytes| bytes[120] ^= 1, "sealed_not_authentic"),
        (|bytes| *bytes.last_mut().unwrap() ^= 1, "sealed_not_authentic"),
        (|bytes| bytes[4] = 0, "sealed_version_unknown"),
        (|bytes| bytes[5] = 9, "sealed_suite_unknown"),
        (|bytes| bytes[6] ^= 1, "sealed_key_unknown"),
        (|bytes| bytes.truncate(60), "sealed_malformed"),
    ];
    for (change, reason) in cases {
        let mut record = world.sealed(|_| ()).await;
        change(&mut record.sealed.as_mut().unwrap().0);
        assert_eq!(outcome(&world, record).await, unopened(reason), "{reason}");
    }
}

#[tokio::test]
async fn a_text_that_is_not_what_its_event_says_is_not_kept_as_if_it_were() {
    let world = World::new().await;
    let mut record = world.sealed(|_| ()).await;
    record.commitment = world.sealed(|_| ()).await.commitment;
    assert_eq!(outcome(&world, record).await, unopened("commitment_differs"));
}

#[tokio::test]
async fn what_was_forgotten_or_has_expired_is_not_written_again() {
    let world = World::new().await;
    let told = |reason: &str| (TextState::Forgotten, Some(reason.to_owned()));
    world.forget("acme", Some("p_bob"), NOON).await;
    let bobs = world.sealed(|record| record.person = Some("p_bob".into())).await;
    assert_eq!(outcome(&world, bobs).await, told("forgotten"));
    let annas = world.sealed(|_| ()).await;
    assert_eq!(outcome(&world, annas).await, (TextState::Kept, None));
    world.clock.set(NOON + 1);
    let bobs_next = world.sealed(|record| record.person = Some("p_bob".into())).await;
    assert_eq!(outcome(&world, bobs_next).await, (TextState::Kept, None), "made after the tombstone");
    world.forget("acme", None, NOON + 1).await;
    let anyones = world.sealed(|record| record.person = None).await;
    assert_eq!(outcome(&world, anyones).await, told("forgotten"));
    let others = world.sealed(|record| record.tenant = "other".into()).await;
    assert_eq!(outcome(&world, others).await, (TextState::Kept, None));
    let late = world.sealed(|record| (record.tenant, record.expires_on) = ("other".into(), 20_500)).await;
    assert_eq!(outcome(&world, late).await, told("expired"));
}

#[tokio::test]
async fn a_claim_that_is_gone_or_did_not_open_is_told_and_what_came_is_kept() {
    let world = World::new().await;
    let mut gone = world.claimed().await;
    gone.claim = Some(format!("claims/edge/1/{}", gone.content_id).into());
    let mut misbound = world.claimed().await;
    misbound.ordinal = 3;
    world.log([gone, misbound]);
    world.run().await;
    assert_eq!(world.states(), [unopened("claim_missing"), unopened("sealed_not_authentic")]);
    let claim = world.rows()[1].claim.clone().unwrap();
    assert!(claim.starts_with("claims/rest/") && world.objects.names().contains(&claim));
}

#[tokio::test]
async fn what_is_no_text_is_a_dead_letter_and_holds_nothing_up() {
    let world = World::new().await;
    let sound = world.sealed(|_| ()).await;
    let both = ContentRecord { claim: Some("claims/edge/1/x".into()), ..sound.clone() };
    let neither = ContentRecord { sealed: None, ..sound.clone() };
    let elsewhere = ContentRecord { sealed: None, claim: Some(format!("units/{}", sound.content_id).into()), ..sound.clone() };
    let unlabelled = ContentRecord { tenant: "a b".into(), ..sound.clone() };
    let no_part = ContentRecord { part: "thought".into(), ..sound.clone() };
    let short = ContentRecord { commitment: Octets(vec![1; 31]), ..sound.clone() };
    let far = ContentRecord { expires_on: i32::MAX, ..sound.clone() };
    world.log([both, neither, elsewhere, unlabelled, no_part, short, far]);
    world.log_bytes(b"no record".to_vec());
    world.log([sound]);
    world.run().await;
    assert_eq!(world.states(), [(TextState::Kept, None)]);
    let reasons: Vec<_> = world.letters.rows().into_iter().flatten().map(|letter| letter.reason).collect();
    let mut expected = vec![DeadLetterReason::Malformed; 6];
    expected.extend([DeadLetterReason::TimeOutOfRange, DeadLetterReason::UnknownSchema]);
    assert_eq!(reasons, expected);
}

/// The log's last stored text was forgotten from the table since: that is no other log.
#[tokio::test]
async fn a_restart_after_rows_were_forgotten_goes_on_where_it_was() {
    let world = World::new().await;
    world.log([world.sealed(|_| ()).await, world.sealed(|_| ()).await]);
    world.run().await;
    world.table.change_rows(|rows| rows.0.clear());
    world.clock.set(NOON + DAY / 100);
    world.log([world.sealed(|_| ()).await]);
    world.run().await;
    let positions: Vec<u64> = world.rows().iter().map(|row| row.position.get()).collect();
    assert_eq!(positions, [2], "nothing was read again");
}
