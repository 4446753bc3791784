use std::{collections::BTreeSet, time::Duration};

use custody_event::ContentRecord;
use custody_testkit::store::CommitFault;
use custody_vault::Objects;

use super::world::World;

/// The record's redaction asks for pseudonyms of e-mail addresses.
fn pseudonymous(record: &mut ContentRecord) {
    record.redaction = "pseudonyms".into();
}

fn of_tenant(tenant: &'static str) -> impl FnOnce(&mut ContentRecord) {
    move |record| {
        pseudonymous(record);
        record.tenant = tenant.into();
    }
}

fn of_person(person: &'static str) -> impl FnOnce(&mut ContentRecord) {
    move |record| {
        pseudonymous(record);
        record.person = Some(person.into());
    }
}

impl World {
    /// What the redacted texts have in place of the address, in the order of the log.
    async fn markers(&self, records: &[ContentRecord]) -> Vec<String> {
        let mut markers = Vec::new();
        for (row, record) in self.rows().iter().zip(records) {
            let (full, redacted) = self.opened(row, record).await;
            assert!(full.contains("anna.muster@example.org") && !redacted.contains("muster"), "{redacted}");
            let marker = redacted.strip_prefix("please write to ").and_then(|rest| rest.strip_suffix(", she has the contract"));
            markers.push(marker.expect("nothing else is changed").to_owned());
        }
        markers
    }

    fn pseudonym_keys(&self) -> Vec<String> {
        self.objects.names().into_iter().filter(|name| name.starts_with("pseudonyms/")).collect()
    }
}

fn assert_is_pseudonym(marker: &str) {
    let letters = marker.strip_prefix("[EMAIL:").and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    assert!(letters.len() == 16 && letters.bytes().all(|letter| (b'a'..=b'p').contains(&letter)), "{marker}");
}

#[tokio::test]
async fn a_value_is_the_same_in_all_texts_of_a_tenant_and_another_at_another() {
    let world = World::new().await;
    let mut records =
        vec![world.sealed(pseudonymous).await, world.sealed(of_person("p_bob")).await, world.sealed(of_tenant("other")).await];
    world.log(records.clone());
    world.run().await;
    // Another process, later, of a text that is too large for its row.
    records.push(world.claimed_as(pseudonymous).await);
    world.log(records[3..].to_vec());
    world.run().await;
    let markers = world.markers(&records).await;
    assert_is_pseudonym(&markers[0]);
    assert_is_pseudonym(&markers[2]);
    assert_eq!((&markers[1], &markers[3]), (&markers[0], &markers[0]));
    assert_ne!(markers[2], markers[0]);
    assert_eq!(world.pseudonym_keys(), ["pseudonyms/acme.key", "pseudonyms/other.key"]);
    assert_eq!(world.metrics.figures().redactions.get("EMAIL"), Some(&4), "they count as what they are");
}

#[tokio::test]
async fn rules_that_only_mask_ask_for_no_key() {
    let world = World::new().await;
    let records = [world.sealed(|_| ()).await, world.sealed(|record| record.redaction = "unheard-of".into()).await];
    world.log(records.clone());
    world.run().await;
    assert_eq!(world.markers(&records).await, ["[EMAIL]", "[EMAIL]"]);
    assert!(world.pseudonym_keys().is_empty());
}

/// The unit's key is in memory, the tenant's key of pseudonyms is not.
#[tokio::test]
async fn a_text_whose_pseudonyms_cannot_be_had_waits_and_is_not_masked() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    let records = [world.sealed(|_| ()).await, world.sealed(pseudonymous).await, world.sealed(|_| ()).await];
    world.log(records[..1].to_vec());
    world.settle(&mut ingest).await.unwrap();
    for away in [true, false] {
        world.keys.set_away(away);
        world.keys.set_refusing(!away);
        if away {
            world.log(records[1..].to_vec());
            world.settle(&mut ingest).await.unwrap();
        }
        assert_eq!(world.rows().iter().map(|row| row.position.get()).collect::<Vec<_>>(), [0, 2], "others go on");
        assert_eq!((world.parked().len(), world.unpark().await.unwrap().waiting), (1, 1));
        assert!(world.pseudonym_keys().is_empty());
    }
    world.keys.set_refusing(false);
    assert_eq!(world.unpark().await.unwrap().texts, 1);
    world.assert_each_once(3);
    let markers = world.markers(&records).await;
    assert_is_pseudonym(&markers[1]);
    assert_eq!((markers[0].as_str(), markers[2].as_str()), ("[EMAIL]", "[EMAIL]"));
}

#[tokio::test]
async fn a_short_absence_is_waited_out() {
    let world = World::new().await;
    world.log([world.sealed(pseudonymous).await]);
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

#[tokio::test]
async fn a_tenants_key_is_asked_for_once_however_many_its_texts_are() {
    let mut calls = Vec::new();
    for change in [(|_: &mut ContentRecord| ()) as fn(&mut ContentRecord), pseudonymous] {
        let world = World::new().await;
        for person in ["p_1", "p_2", "p_3", "p_4"] {
            let record = world.sealed(|record| {
                change(record);
                record.person = Some(person.into());
            });
            world.log([record.await]);
        }
        let before = world.keys.calls();
        world.run().await;
        world.assert_each_once(4);
        calls.push(world.keys.calls() - before);
    }
    assert_eq!(calls[1], calls[0] + 1, "one key is made beside those of the units");
}

/// While the key service is away, a round asks it three times, and not once for each tenant and person.
#[tokio::test]
async fn a_service_that_is_away_is_asked_three_times_a_round() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    for person in ["p_1", "p_2", "p_3", "p_4", "p_5"] {
        world.log([world.sealed(|record| record.person = Some(person.into())).await]);
        world.log([world.sealed(|record| (record.tenant, record.person) = ("other".into(), Some(person.into()))).await]);
    }
    world.settle(&mut ingest).await.unwrap();
    world.log([world.sealed(of_tenant("acme")).await, world.sealed(of_person("p_1")).await, world.sealed(of_tenant("other")).await]);
    for person in ["p_6", "p_7", "p_8", "p_9"] {
        world.log([world.sealed(of_person(person)).await]);
    }
    world.keys.set_away(true);
    let before = world.keys.calls();
    world.settle(&mut ingest).await.unwrap();
    assert_eq!(world.keys.calls() - before, 3);
    assert_eq!(world.rows().len(), 10);
}

#[tokio::test]
async fn a_key_that_was_destroyed_is_not_used_in_the_next_round() {
    let world = World::new().await;
    let step = world.step();
    let mut ingest = world.ingest_over(&step);
    let mut records = Vec::new();
    for is_destroyed in [false, false, true] {
        if is_destroyed {
            assert!(world.pseudonyms().destroy(&"acme".parse().unwrap()).await.unwrap());
        }
        let record = world.sealed(pseudonymous).await;
        world.log([record.clone()]);
        records.push(record);
        world.settle(&mut ingest).await.unwrap();
    }
    let markers = world.markers(&records).await;
    assert_eq!(markers[0], markers[1]);
    assert_ne!(markers[2], markers[1]);
}

/// Never replaced by another: it is put back, or the operator decides to end it.
#[tokio::test]
async fn a_key_that_was_altered_holds_its_tenants_texts_up_and_no_others() {
    let world = World::new().await;
    let first = world.sealed(pseudonymous).await;
    world.log([first.clone()]);
    world.run().await;
    let name = "pseudonyms/acme.key".parse().unwrap();
    let whole = world.objects.get(&name).await.unwrap().unwrap();
    let mut altered = whole.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    world.objects.put(&name, altered.into()).await.unwrap();
    let records = [first, world.sealed(pseudonymous).await, world.sealed(of_tenant("other")).await];
    world.log(records[1..].to_vec());
    world.run().await;
    assert_eq!(world.rows().iter().map(|row| row.position.get()).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(world.unpark().await.unwrap().waiting, 1);
    world.objects.put(&name, whole).await.unwrap();
    assert_eq!(world.unpark().await.unwrap().texts, 1);
    let markers = world.markers(&records).await;
    assert_eq!(markers[0], markers[1]);
}

/// Wherever the store dies while the key is made, and whatever becomes of the commit: each text once, all with one pseudonym.
#[tokio::test]
async fn a_death_at_any_step_leaves_one_pseudonym() {
    for fault in [CommitFault::None, CommitFault::LandedUnheard] {
        for unheard in [false, true] {
            for step in 1.. {
                let world = World::new().await;
                let records = [world.sealed(pseudonymous).await, world.sealed(of_person("p_bob")).await];
                world.log(records.clone());
                world.faults.next(fault);
                world.objects.die_at(step, unheard);
                let _ = world.settle(&mut world.ingest()).await;
                let died = world.objects.revive();
                world.run().await;
                world.unpark().await.unwrap();
                world.assert_each_once(2);
                let markers: BTreeSet<String> = world.markers(&records).await.into_iter().collect();
                assert_eq!(markers.len(), 1, "{markers:?}");
                if !died {
                    assert!(step > 8, "{step} operations");
                    break;
                }
            }
        }
    }
}
