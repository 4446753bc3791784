//! kill -9 at every named place of expiry, erasure and of wrapping keys anew: what was cut off is ended by the next run, once, and
//! nothing is ever told as kept whose key is gone.

mod kept;
mod run;

use std::collections::BTreeSet;

use custody_keeper::{erasure::ErasurePlan, retention::RetentionPlan};

use self::{
    kept::{Kept, Site, Text},
    run::{custody_run, halted_and_killed, number_of},
};
use crate::harness::number;

const ERASE_PERSON: [&str; 8] = ["erase", "--tenant", "acme", "--person", "p-1", "--reason", "request of May", "--yes"];
const ERASE_TENANT: [&str; 6] = ["erase", "--tenant", "acme", "--reason", "contract ended", "--yes"];

fn erased_person() -> Kept {
    let opens = [Text::Neighbour, Text::Due, Text::Nameless, Text::OtherTenant].into();
    Kept { opens, claims: 0, parked: 1, pseudonyms: both_tenants() }
}

fn both_tenants() -> BTreeSet<String> {
    ["acme", "globex"].map(str::to_owned).into()
}

/// A row whose key is gone is forbidden by a tombstone or due: `reveal` tells it as erased or expired, and not as kept.
fn assert_never_half_open(site: &Site, point: &str) {
    let lost: Vec<Text> = site.rows().into_iter().filter(|text| !site.opens(*text)).collect();
    let untold: Vec<&Text> = lost.iter().filter(|text| !site.is_forgotten(**text) && **text != Text::Due).collect();
    assert!(untold.is_empty(), "{point}: told as kept, but the key is gone: {untold:?}");
}

fn assert_erased_once(site: &Site, id: &str, point: &str) {
    // One of each: a second one of either would make it 12 or 21.
    let begun_and_done = "select sum(case control_action when 'erasure.begun' then 1 when 'erased' then 10 else 0 end) from events";
    assert_eq!(number(site.data(), begun_and_done), 11, "{point}: events that it begins and that it is done");
    let certificate = std::fs::read_to_string(site.data().join(format!("vault/certificates/{id}.json"))).unwrap();
    assert!(certificate.contains("custody-certificate-of-erasure/1"), "{point}: {certificate}");
}

/// The erasure that has a plan.
fn erasure(site: &Site) -> Option<String> {
    let plan = std::fs::read_dir(site.data().join("vault/erasures")).ok()?.next()?.unwrap();
    plan.file_name().to_str()?.strip_suffix(".json").map(str::to_owned)
}

/// Goes on where it was cut off; where not even a plan is there, begins anew.
fn finish_erasure(site: &Site, command: &[&str]) -> String {
    match erasure(site) {
        Some(id) => {
            custody_run(site, &["erase", "--resume", &id]);
            id
        }
        None => {
            custody_run(site, command);
            erasure(site).unwrap()
        }
    }
}

#[test]
fn an_erasure_that_is_killed_anywhere_is_resumed_and_done_once() {
    let template = Site::new();
    for point in ErasurePlan::fault_points() {
        let site = template.copy();
        assert!(halted_and_killed(&site, point, &ERASE_PERSON), "{point} is not on the way");
        assert_never_half_open(&site, point);
        let id = finish_erasure(&site, &ERASE_PERSON);
        assert_eq!(site.kept(), erased_person(), "{point}");
        assert_erased_once(&site, &id, point);
        println!("{point}: killed, resumed, done once");
    }
}

#[test]
fn a_tenants_erasure_that_is_killed_over_its_wrapping_keys_is_resumed() {
    let template = Site::new();
    let points = [
        "erasure.pseudonyms.done",
        "erasure.pseudonyms.marked",
        "erasure.wrapping_key.added",
        "erasure.wrapping_key.rewrapped",
        "erasure.wrapping_keys.done",
        "erasure.certificate.done",
    ];
    for point in points {
        let site = template.copy();
        let (copy_of_key_store, copy_of_pseudonyms) = (site.unit_keys(), site.pseudonym_key());
        assert!(site.makes_pseudonyms_with(&copy_of_pseudonyms));
        assert!(halted_and_killed(&site, point, &ERASE_TENANT), "{point} is not on the way");
        assert_never_half_open(&site, point);
        let id = finish_erasure(&site, &ERASE_TENANT);
        let left = Kept { opens: [Text::OtherTenant].into(), claims: 0, parked: 0, pseudonyms: ["globex".to_owned()].into() };
        assert_eq!(site.kept(), left, "{point}");
        assert_erased_once(&site, &id, point);
        let opened = site.opened_with(&copy_of_key_store);
        assert_eq!(opened, BTreeSet::from([Text::OtherTenant]), "{point}: a copy of the key store opens nothing of the tenant");
        assert!(!site.makes_pseudonyms_with(&copy_of_pseudonyms), "{point}: nor can values be tried with it");
        println!("{point}: killed, resumed, done once");
    }
}

#[test]
fn an_expiry_that_is_killed_anywhere_is_ended_by_the_next_run_once() {
    let template = Site::new();
    let points = RetentionPlan::fault_points();
    for point in points {
        let site = template.copy();
        assert!(halted_and_killed(&site, point, &["retention", "run"]), "{point} is not on the way");
        assert_never_half_open(&site, point);
        custody_run(&site, &["retention", "run"]);
        let opens = [Text::Person, Text::LargeOfPerson, Text::Neighbour, Text::Nameless, Text::OtherTenant].into();
        assert_eq!(site.kept(), Kept { opens, claims: 2, parked: 2, pseudonyms: both_tenants() }, "{point}");
        assert_eq!(number_of(&site, "retention.expired"), 1, "{point}: events that it is done");
        assert!(custody_run(&site, &["retention", "run"]).contains("nothing is due"), "{point}");
        println!("{point}: killed, ended by the next run, once");
    }
}

#[test]
fn wrapping_keys_anew_that_is_killed_anywhere_leaves_every_text_open() {
    let template = Site::new();
    for point in ["rewrap.rotated", "rewrap.key", "rewrap.wrapped"] {
        let site = template.copy();
        let before = site.kept();
        assert!(halted_and_killed(&site, point, &["vault", "rotate", "--tenant", "acme"]), "{point} is not on the way");
        assert_eq!(site.kept(), before, "{point}: after the kill");
        custody_run(&site, &["vault", "rewrap"]);
        assert_eq!(site.kept(), before, "{point}: after the next run");
        println!("{point}: killed, every text opens, ended by the next run");
    }
}

#[test]
fn what_is_on_hold_outlives_retention_and_erasure_until_it_is_released() {
    let site = Site::new();
    custody_run(&site, &["hold", "add", "--request", &Text::Due.request().to_string(), "--reason", "case 7"]);
    let of_person = format!("select '{}' as request_id", Text::Person.request());
    custody_run(&site, &["hold", "add", "--query", &of_person, "--reason", "case 8"]);
    assert!(custody_run(&site, &["retention", "run"]).contains("nothing is due"));
    let certificate = custody_run(&site, &ERASE_PERSON);
    assert!(certificate.contains("by hold"), "{certificate}");
    assert!(site.opens(Text::Person) && site.opens(Text::Due), "both are on hold");
    assert!(site.rows().contains(&Text::Person) && !site.rows().contains(&Text::LargeOfPerson));
    for line in custody_run(&site, &["hold", "list"]).lines() {
        let id = line.split_whitespace().next().unwrap();
        custody_run(&site, &["hold", "release", id, "--reason", "closed"]);
    }
    custody_run(&site, &["retention", "run"]);
    custody_run(&site, &ERASE_PERSON);
    let opens = [Text::Neighbour, Text::Nameless, Text::OtherTenant].into();
    let left = Kept { opens, claims: 0, parked: 1, pseudonyms: both_tenants() };
    assert_eq!(site.kept(), left);
    assert_eq!((number_of(&site, "hold.placed"), number_of(&site, "hold.released")), (2, 2));
}
