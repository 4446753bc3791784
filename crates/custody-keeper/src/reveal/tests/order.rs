//! The event first, durable; then the text.

use super::*;

#[tokio::test]
async fn the_event_is_durable_before_anything_is_opened() {
    let world = World::new();
    world.texts.lock().unwrap().push(kept(2, Part::Response));
    assert_eq!(ask(&world, &person("rita", &["reviewers"]), &redacted()).await, "2 shown");
    let expected = ["find", "put reveal-rate", "put reveal-rate", "record allow", "open", "open"];
    assert_eq!(*world.calls.lock().unwrap(), expected);
}

/// An agreement is spent before the event, and the event is durable before the text.
#[tokio::test]
async fn an_approval_is_used_before_anything_is_opened() {
    let world = World::new();
    let (sam, sue) = (person("sam", &["seniors"]), person("sue", &["seniors"]));
    let Ok(RevealAnswer::Pending(waits)) = world.desk().reveal(&sam, &full()).await else { panic!("it waits") };
    let calls = |world: &World| std::mem::take(&mut *world.calls.lock().unwrap());
    assert_eq!(calls(&world), ["find", "put reveal-rate", "record pending", "put reveals"]);
    world.desk().approve(&sue, &waits.approval_id).await.unwrap();
    assert_eq!(calls(&world), ["find", "record allow", "put reveals"]);
    assert_eq!(ask(&world, &sam, &Reveal { approval: Some(waits.approval_id), ..full() }).await, "1 shown");
    let calls = calls(&world);
    assert_eq!(calls[calls.len() - 3..], ["put reveals", "record allow", "open"], "{calls:?}");
}

/// What can't be recorded does not happen, and nobody is told more than that.
#[tokio::test]
async fn without_a_record_there_is_no_text() {
    let (sam, sue) = (person("sam", &["seniors"]), person("sue", &["seniors"]));
    for (who, reveal) in [(person("rita", &["reviewers"]), redacted()), (person("rita", &[]), redacted()), (sam.clone(), full())] {
        let world = World::new();
        *world.events_left.lock().unwrap() = Some(0);
        assert_eq!(ask(&world, &who, &reveal).await, "failed journal_full");
        assert!(!world.calls.lock().unwrap().iter().any(|call| call == "open" || call == "put reveals"));
    }
    let world = World::new();
    let Ok(RevealAnswer::Pending(waits)) = world.desk().reveal(&sam, &full()).await else { panic!("it waits") };
    *world.events_left.lock().unwrap() = Some(0);
    assert!(world.desk().approve(&sue, &waits.approval_id).await.is_err());
    *world.events_left.lock().unwrap() = None;
    let reveal = Reveal { approval: Some(waits.approval_id), ..full() };
    assert_eq!(ask(&world, &sam, &reveal).await, "reveal_approval_not_given", "nobody agreed");
}

/// A text that does not open is an event of its own, and the others are shown; where that can't be recorded, nothing is.
#[tokio::test]
async fn a_text_that_does_not_open_is_another_event() {
    for (events, expected) in [(None, "1 shown, unit_key_gone"), (Some(1), "failed journal_full")] {
        let world = World::new();
        world.texts.lock().unwrap().push(kept(2, Part::Response));
        world.closed.lock().unwrap().insert(kept(2, Part::Response).content_id.to_string(), "unit_key_gone");
        *world.events_left.lock().unwrap() = events;
        assert_eq!(ask(&world, &person("rita", &["reviewers"]), &redacted()).await, expected);
        if events.is_none() {
            assert_eq!(world.told(), ["reveal_redacted allow", "reveal_redacted deny unit_key_gone"]);
            assert_eq!(world.last_event().1.content_ids, [kept(2, Part::Response).content_id]);
        }
    }
}

/// A credential that nobody issued is an attempt too.
#[tokio::test]
async fn an_unknown_credential_is_recorded() {
    let world = World::new();
    record_unidentified(world.as_ref(), Envelope::default(), "reveal", Some(REQUEST.parse().unwrap())).await.unwrap();
    let (envelope, access) = world.last_event();
    assert_eq!((&*envelope.tenant, &*access.decision, access.code.as_deref()), ("unidentified", "deny", Some("invalid_api_key")));
}
