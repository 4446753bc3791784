use super::*;
use crate::testing::TestFolder;

const KEY: UnitKeyId = UnitKeyId::from_bytes([0xab; 16]);

#[tokio::test]
async fn a_claim_is_got_by_the_name_that_was_answered() {
    let folder = TestFolder::new().await;
    let claims = Claims::new(folder.shared());
    let edge = claims.put_edge(EdgeDay::from_number(20_778), "0193-a", Bytes::from_static(b"edge")).await.unwrap();
    let rest = claims.put_rest(20_808, "0193-a", KEY, Bytes::from_static(b"rest")).await.unwrap();
    let redacted = claims.put_rest_redacted(20_808, "0193-a", KEY, Bytes::from_static(b"redacted")).await.unwrap();
    let unopened = claims.put_rest_unopened(20_808, "0193-a", Bytes::from_static(b"unopened")).await.unwrap();
    let names = [edge.as_str(), rest.as_str(), redacted.as_str(), unopened.as_str()];
    let of_key = "claims/rest/20808/0193-a.abababababababababababababababab";
    assert_eq!(names, ["claims/edge/20778/0193-a", of_key, &format!("{of_key}.redacted"), "claims/rest/20808/0193-a.sealed"]);
    for (name, text) in names.iter().zip(["edge", "rest", "redacted", "unopened"]) {
        assert_eq!(claims.get(name).await.unwrap().unwrap(), text);
        claims.delete(name).await.unwrap();
        assert_eq!(claims.get(name).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_record_can_name_nothing_but_claims() {
    let folder = TestFolder::new().await;
    let claims = Claims::new(folder.shared());
    let named =
        ["units/acme/_/q/1/x.key", "claims/../edge/1.key", "claims/edge", "claims/rest/1", "claims/edgex/1/2", "claims/rest/1/2/3", ""];
    for name in named {
        assert!(matches!(claims.get(name).await, Err(VaultError::Name(_))), "{name}");
        assert!(matches!(claims.delete(name).await, Err(VaultError::Name(_))), "{name}");
    }
    for id in ["", "..", "a/b"] {
        assert!(claims.put_rest_unopened(1, id, Bytes::new()).await.is_err(), "{id}");
    }
}

#[tokio::test]
async fn what_is_over_is_told_by_day() {
    let folder = TestFolder::new().await;
    let claims = Claims::new(folder.shared());
    for day in [99, 100, 101, 1000] {
        claims.put_rest(day, "x", KEY, Bytes::from_static(b"x")).await.unwrap();
        claims.put_edge(EdgeDay::from_number(day), "x", Bytes::from_static(b"x")).await.unwrap();
    }
    let expired: Vec<String> = claims.expired(100).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(expired, [format!("claims/rest/100/x.{KEY}"), format!("claims/rest/99/x.{KEY}")]);
    assert_eq!(claims.delete_edge_day(EdgeDay::from_number(100)).await.unwrap(), 1);
    assert_eq!(claims.edge().await.unwrap().len(), 3, "a day is not the beginning of another");
}
