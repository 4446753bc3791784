use std::time::Duration;

use bytes::Bytes;
use custody_seal::{
    Part, TextContext,
    edge::{EdgeTerms, SegmentSealer},
    wrap::WrapError,
};
use custody_types::{LogPosition, RequestId};

use super::*;
use crate::{
    KeyProvider, ParkedPlace,
    testing::{DyingObjects, HandClock, NOON, Switched, TestFolder, all},
};

const HOUR: i64 = 3_600_000_000;

fn window() -> EdgeWindow {
    EdgeWindow::new(Duration::from_secs(3_600), Duration::from_secs(48 * 3_600))
}

fn later(hours: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + hours * HOUR)
}

fn context() -> TextContext {
    TextContext {
        tenant: "acme".parse().unwrap(),
        person: None,
        request: RequestId::from_uuid(uuid::Uuid::from_u128(7)),
        part: Part::Prompt,
        ordinal: 0,
        purpose: "quality".parse().unwrap(),
        retention: "short".parse().unwrap(),
    }
}

async fn sealed(objects: &dyn Objects, now: Timestamp) -> Vec<u8> {
    let keys = EdgeKeys::public_keys(objects, window(), now).await.unwrap();
    let sealer = SegmentSealer::begin(keys.current(now).unwrap(), window(), &mut OsEntropy).unwrap();
    sealer.seal(&context(), &EdgeTerms::default(), b"text", now).unwrap().bytes
}

struct Bench {
    folder: TestFolder,
    wrapper: Arc<Switched>,
    calls: Arc<crate::FileKeys>,
}

impl Bench {
    async fn new() -> Self {
        let folder = TestFolder::new().await;
        let calls = folder.keys(&HandClock::at(NOON)).await;
        Self { wrapper: Switched::new(Arc::clone(&calls) as Arc<dyn KeyWrapper>), folder, calls }
    }

    fn edge_on(&self, objects: Arc<dyn Objects>) -> EdgeKeys {
        EdgeKeys::new(objects, Arc::clone(&self.wrapper) as Arc<dyn KeyWrapper>, window())
    }

    fn edge(&self) -> EdgeKeys {
        self.edge_on(self.folder.shared())
    }
}

#[tokio::test]
async fn what_a_gateway_seals_ingest_opens() {
    let bench = Bench::new().await;
    let edge = bench.edge();
    let today = EdgeDay::of(NOON);
    assert_eq!(edge.prepare(NOON).await.unwrap().made, [today, EdgeDay::from_number(today.number() + 1)]);
    assert_eq!(edge.prepare(NOON).await.unwrap(), EdgeKeysPrepared::default());
    let record = sealed(bench.folder.objects.as_ref(), NOON).await;
    let opened = edge.opener().await.unwrap().open(&record, &context(), &EdgeTerms::default()).unwrap();
    assert_eq!(opened.text().expose(), b"text");
    assert_eq!(bench.calls.calls().encrypt, 2);
    let names: Vec<String> = all(bench.folder.objects.as_ref()).await.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["edge/20778.key", "edge/20778.pub", "edge/20779.key", "edge/20779.pub"]);
}

#[tokio::test]
async fn many_may_prepare_at_once_and_a_day_gets_one_key() {
    let bench = Bench::new().await;
    let edge = bench.edge();
    let all = futures::future::join_all((0..8).map(|_| edge.prepare(NOON))).await;
    let made: usize = all.into_iter().map(|prepared| prepared.unwrap().made.len()).sum();
    assert_eq!(made, 2);
    let record = sealed(bench.folder.objects.as_ref(), NOON).await;
    edge.opener().await.unwrap().open(&record, &context(), &EdgeTerms::default()).unwrap();
}

#[tokio::test]
async fn a_public_key_that_was_put_in_anothers_place_is_replaced() {
    let bench = Bench::new().await;
    let edge = bench.edge();
    edge.prepare(NOON).await.unwrap();
    let forged = EdgePrivateKey::generate(EdgeDay::of(NOON), &mut OsEntropy).unwrap();
    edge.publish(&forged).await.unwrap();
    assert_eq!(edge.prepare(NOON).await.unwrap().published_anew, [EdgeDay::of(NOON)]);
    let record = sealed(bench.folder.objects.as_ref(), NOON).await;
    edge.opener().await.unwrap().open(&record, &context(), &EdgeTerms::default()).unwrap();
}

/// However the making of keys is cut short, no public key stands that no kept private key opens, and the next run completes it.
#[tokio::test]
async fn a_death_while_days_are_prepared_leaves_no_public_key_alone() {
    for last_is_done in [false, true] {
        for steps in 0..8 {
            let bench = Bench::new().await;
            let _ = bench.edge_on(DyingObjects::after(bench.folder.shared(), steps, last_is_done)).prepare(NOON).await;
            let objects = bench.folder.objects.as_ref();
            let (public, private) = (days(objects, PUBLIC).await.unwrap(), days(objects, PRIVATE).await.unwrap());
            assert!(public.is_subset(&private), "{public:?} {private:?}");
            bench.edge().prepare(NOON).await.unwrap();
            let record = sealed(objects, NOON).await;
            bench.edge().opener().await.unwrap().open(&record, &context(), &EdgeTerms::default()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_day_is_destroyed_once_it_is_due_and_nothing_needs_it() {
    let bench = Bench::new().await;
    let edge = bench.edge();
    edge.prepare(NOON).await.unwrap();
    let today = EdgeDay::of(NOON);
    let record = sealed(bench.folder.objects.as_ref(), NOON).await;
    let claims = Claims::new(bench.folder.shared());
    claims.put_edge(today, "0193", Bytes::from(record.clone())).await.unwrap();
    // The day ends twelve hours after noon; then the overlap of one hour and the retention of two days.
    assert_eq!(edge.destroy_due(later(60), None).await.unwrap(), EdgeKeysDestroyed::default());
    let (due, parked) = (later(61), ParkedRecords::new(bench.folder.shared()));
    let place = ParkedPlace::of(today, "3".to_owned(), LogPosition::new(9), &record);
    parked.put(&place, Bytes::from(record.clone())).await.unwrap();
    assert_eq!(edge.destroy_due(due, None).await.unwrap().still_needed, [today]);
    parked.delete(&place).await.unwrap();
    assert_eq!(edge.destroy_due(due, Some(today)).await.unwrap().still_needed, [today]);
    let mut opener = edge.opener().await.unwrap();
    let tomorrow = EdgeDay::from_number(today.number() + 1);
    assert_eq!(edge.destroy_due(due, Some(tomorrow)).await.unwrap().destroyed, [today]);
    assert_eq!(edge.refresh(&mut opener).await.unwrap().dropped.len(), 1);
    assert!(opener.open(&record, &context(), &EdgeTerms::default()).is_err());
    assert_eq!(edge.days().await.unwrap(), BTreeSet::from([tomorrow]));
    assert!(claims.edge().await.unwrap().is_empty(), "what nobody opens any more goes too");
}

/// One text that waits for long must not keep every later day's key, and with it every copy of the stream readable.
#[tokio::test]
async fn a_parked_record_keeps_the_key_of_its_day_and_of_the_day_before_and_no_other() {
    let bench = Bench::new().await;
    for day in 0..4 {
        bench.edge().prepare(later(24 * day)).await.unwrap();
    }
    let day = |number: i32| EdgeDay::from_number(EdgeDay::of(NOON).number() + number);
    let place = ParkedPlace::of(day(2), "3".to_owned(), LogPosition::new(9), b"records");
    ParkedRecords::new(bench.folder.shared()).put(&place, Bytes::from_static(b"records")).await.unwrap();
    let report = bench.edge().destroy_due(later(500), None).await.unwrap();
    assert_eq!(report, EdgeKeysDestroyed { destroyed: vec![day(0), day(3), day(4)], still_needed: vec![day(1), day(2)] });
}

#[tokio::test]
async fn a_death_while_a_day_is_destroyed_is_made_good() {
    for last_is_done in [false, true] {
        for steps in 0..8 {
            let bench = Bench::new().await;
            bench.edge().prepare(NOON).await.unwrap();
            let _ = bench.edge_on(DyingObjects::after(bench.folder.shared(), steps, last_is_done)).destroy_due(later(500), None).await;
            let objects = bench.folder.objects.as_ref();
            assert!(days(objects, PUBLIC).await.unwrap().is_subset(&days(objects, PRIVATE).await.unwrap()));
            bench.edge().destroy_due(later(500), None).await.unwrap();
            assert!(all(objects).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_key_that_does_not_open_leaves_the_others_open() {
    let bench = Bench::new().await;
    let edge = bench.edge();
    edge.prepare(NOON).await.unwrap();
    let tomorrow = EdgeDay::from_number(EdgeDay::of(NOON).number() + 1);
    let (today_bytes, name) =
        (bench.folder.objects.get(&private_name(EdgeDay::of(NOON)).unwrap()).await.unwrap().unwrap(), private_name(tomorrow).unwrap());
    let mut altered = bench.folder.objects.get(&name).await.unwrap().unwrap().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    bench.folder.objects.put(&name, altered.into()).await.unwrap();
    let mut opener = EdgeOpener::new();
    let refreshed = edge.refresh(&mut opener).await.unwrap();
    assert_eq!(refreshed.taken_up, [EdgeDay::of(NOON)]);
    assert!(matches!(refreshed.closed[..], [(day, VaultError::KeyService(WrapError::NotAuthentic))] if day == tomorrow));
    bench.folder.objects.put(&name, today_bytes).await.unwrap();
    let refreshed = edge.refresh(&mut opener).await.unwrap();
    assert!(matches!(refreshed.closed[..], [(day, VaultError::Misplaced { .. })] if day == tomorrow), "another day's key is no day's key");
}

#[tokio::test]
async fn while_the_key_service_is_away_gateways_go_on_with_the_keys_that_are_there() {
    let bench = Bench::new().await;
    let edge = bench.edge();
    edge.prepare(NOON).await.unwrap();
    bench.wrapper.turn(Some(WrapError::Unavailable { retry_after: Duration::from_secs(5) }));
    assert!(edge.prepare(later(24)).await.unwrap_err().is_passing());
    let record = sealed(bench.folder.objects.as_ref(), later(24)).await;
    let refreshed = edge.refresh(&mut EdgeOpener::new()).await.unwrap();
    assert!(matches!(&refreshed.closed[..], [(_, error)] if error.is_passing()), "who is away is asked once for all days");
    bench.wrapper.turn(None);
    edge.opener().await.unwrap().open(&record, &context(), &EdgeTerms::default()).unwrap();
}

#[tokio::test]
async fn a_key_that_was_altered_leaves_the_others_open_and_is_not_dropped_where_it_is_held() {
    let bench = Bench::new().await;
    bench.edge().prepare(NOON).await.unwrap();
    let mut holder = bench.edge().opener().await.unwrap();
    let today = EdgeDay::of(NOON);
    bench.folder.objects.put(&private_name(today).unwrap(), Bytes::from_static(b"torn")).await.unwrap();
    let refreshed = bench.edge().refresh(&mut holder).await.unwrap();
    assert!(refreshed.dropped.is_empty() && holder.held().count() == 2, "{refreshed:?}");
    let mut newcomer = EdgeOpener::new();
    let refreshed = bench.edge().refresh(&mut newcomer).await.unwrap();
    assert!(matches!(refreshed.closed.as_slice(), [(day, VaultError::Unreadable { .. })] if *day == today), "{refreshed:?}");
    assert_eq!(refreshed.taken_up.len(), 1, "tomorrow's");
}

#[tokio::test]
async fn a_key_service_that_is_away_is_asked_once_for_all_days() {
    let bench = Bench::new().await;
    for day in 0..5 {
        bench.edge().prepare(later(24 * day)).await.unwrap();
    }
    bench.wrapper.turn(Some(WrapError::Unavailable { retry_after: Duration::from_secs(5) }));
    let refreshed = bench.edge().refresh(&mut EdgeOpener::new()).await.unwrap();
    assert_eq!((refreshed.taken_up.len(), refreshed.closed.len()), (0, 1));
    bench.wrapper.turn(None);
    assert_eq!(bench.edge().refresh(&mut EdgeOpener::new()).await.unwrap().taken_up.len(), 6);
}
