use super::*;
use crate::testing::{NOON, TestFolder};

fn request(units: &[&str]) -> HoldScope {
    let units = units.iter().map(|unit| (*unit).to_owned()).collect();
    HoldScope::Request { tenant: "acme".parse().unwrap(), request: Uuid::from_u128(7), units }
}

#[tokio::test]
async fn the_frozen_documents_are_read_and_written_as_they_stand() {
    let folder = TestFolder::new().await;
    let holds = Holds::new(folder.shared());
    let (tenant, person) = ("acme".parse().unwrap(), "p-1f3a".parse().unwrap());
    let of_person = Hold::new(HoldScope::Person { tenant, person }, "claim 17", "legal", NOON);
    let of_request = Hold::new(request(&["ab".repeat(16).as_str()]), "audit", "audit", NOON).released("legal", NOON);
    let frozen = [
        ("person", of_person, include_str!("../../tests/fixtures/hold-person-v1.json")),
        ("request", of_request, include_str!("../../tests/fixtures/hold-request-v1.json")),
    ];
    for (id, hold, text) in frozen {
        holds.put_new(id, &hold).await.unwrap();
        let written = folder.objects.get(&format!("holds/{id}.json").parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(written, text);
        assert_eq!(serde_json::from_str::<Hold>(text).unwrap(), hold);
    }
}

#[test]
fn a_hold_ends_with_its_release() {
    let hold = Hold::new(HoldScope::Tenant { tenant: "acme".parse().unwrap() }, "claim", "legal", NOON);
    assert_eq!(hold.legal_holds(), [LegalHold::Tenant("acme".parse().unwrap())]);
    assert!(hold.released("legal", NOON).legal_holds().is_empty());
}

#[test]
fn a_request_is_held_by_its_units_and_all_is_held_where_one_cannot_be_read() {
    let hold = |units: &[&str]| Hold::new(request(units), "claim", "legal", NOON).legal_holds();
    assert_eq!(hold(&["ab".repeat(16).as_str()]), [LegalHold::Unit(UnitKeyId::from_bytes([0xab; 16]))]);
    for unreadable in ["", "ab", "zz".repeat(16).as_str()] {
        assert_eq!(hold(&["ab".repeat(16).as_str(), unreadable]), [LegalHold::Tenant("acme".parse().unwrap())]);
    }
}
