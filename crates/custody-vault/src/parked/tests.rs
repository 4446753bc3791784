use super::*;
use crate::testing::TestFolder;

fn place(day: i32, partition: &str, first: u64) -> ParkedPlace {
    ParkedPlace { day: EdgeDay::from_number(day), partition: partition.to_owned(), first: LogPosition::new(first), digest: None }
}

#[tokio::test]
async fn what_is_parked_is_found_in_the_order_of_the_log() {
    let folder = TestFolder::new().await;
    let parked = ParkedRecords::new(folder.shared());
    let places = [place(20_778, "0", 9), place(20_778, "0", 10), place(20_778, "1", 1), place(20_779, "a.b/7", 2)];
    for place in places.iter().rev() {
        parked.put(place, Bytes::from(format!("{place:?}"))).await.unwrap();
    }
    assert_eq!(parked.list().await.unwrap(), places);
    let names: Vec<String> = folder.objects.list(&"parked".parse().unwrap()).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["parked/20778/0/10", "parked/20778/0/9", "parked/20778/1/1", "parked/20779/a.b=7/2"]);
    assert_eq!(parked.days().await.unwrap().len(), 2);
    for place in &places {
        assert_eq!(parked.get(place).await.unwrap().unwrap(), format!("{place:?}"));
        parked.delete(place).await.unwrap();
    }
    assert!(parked.days().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_records_parked_again_are_parked_once() {
    let folder = TestFolder::new().await;
    let parked = ParkedRecords::new(folder.shared());
    for _ in 0..2 {
        let place = ParkedPlace::of(EdgeDay::from_number(1), "0".to_owned(), LogPosition::new(5), b"records");
        parked.put(&place, Bytes::from_static(b"records")).await.unwrap();
    }
    assert_eq!(parked.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn other_records_from_the_same_place_on_stand_beside_the_first_and_beside_those_of_earlier_programs() {
    let folder = TestFolder::new().await;
    let parked = ParkedRecords::new(folder.shared());
    let of = |records: &[u8]| ParkedPlace::of(EdgeDay::from_number(1), "0".to_owned(), LogPosition::new(5), records);
    let places = [place(1, "0", 5), of(b"three"), of(b"three and more"), place(1, "0", 6)];
    for place in &places {
        parked.put(place, Bytes::from(format!("{place:?}"))).await.unwrap();
    }
    assert_eq!(parked.list().await.unwrap().len(), 4);
    for place in &parked.list().await.unwrap() {
        assert!(places.contains(place));
        assert_eq!(parked.get(place).await.unwrap().unwrap(), format!("{place:?}"));
    }
    // The first half of what `printf three | sha256sum` prints.
    assert_eq!(of(b"three").name().unwrap().as_str(), "parked/1/0/5.8b5b9db0c13db24256c829aa364aa90c");
    for name in ["parked/1/0/5.", "parked/1/0/5.1", "parked/1/0/x", "parked/1/0/5.+0000000000000000000000000000000"] {
        assert_eq!(ParkedPlace::read(&name.parse().unwrap()), None, "{name}");
    }
}
