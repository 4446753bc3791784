use super::*;
use crate::testing::TestFolder;

fn place(day: i32, partition: &str, first: u64) -> ParkedPlace {
    ParkedPlace { day: EdgeDay::from_number(day), partition: partition.to_owned(), first: LogPosition::new(first) }
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
        parked.put(&place(1, "0", 5), Bytes::from_static(b"records")).await.unwrap();
    }
    assert_eq!(parked.list().await.unwrap().len(), 1);
}
