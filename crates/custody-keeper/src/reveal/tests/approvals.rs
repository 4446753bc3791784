//! The second person (D12).

use super::*;

fn senior(name: &str) -> Asker {
    person(name, &["seniors"])
}

async fn pending(world: &Arc<World>) -> String {
    match world.desk().reveal(&senior("sam"), &full()).await {
        Ok(RevealAnswer::Pending(pending)) => pending.approval_id,
        other => panic!("{other:?}"),
    }
}

async fn approve(world: &Arc<World>, who: &Asker, id: &str) -> String {
    ended(world.desk().approve(who, id).await)
}

async fn withdraw(world: &Arc<World>, who: &Asker, id: &str) -> String {
    ended(world.desk().withdraw(who, id).await)
}

fn ended(answer: Result<ApproveAnswer, PortError>) -> String {
    match answer {
        Ok(ApproveAnswer::Done) => "done".to_owned(),
        Ok(ApproveAnswer::Denied(denial)) => denial.code().to_owned(),
        Err(error) => format!("failed {}", error.code),
    }
}

fn with(id: &str) -> Reveal {
    Reveal { approval: Some(id.to_owned()), ..full() }
}

#[tokio::test]
async fn with_a_second_person_it_is_shown_once() {
    let world = World::new();
    let id = pending(&world).await;
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "reveal_approval_not_given");
    assert_eq!(approve(&world, &senior("sue"), &id).await, "done");
    assert_eq!(approve(&world, &senior("sid"), &id).await, "done", "agreed already, which is as good");
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "1 shown");
    let (_, access) = world.last_event();
    assert_eq!((access.second_person.as_deref(), access.approval_id.as_deref()), (Some("sue"), Some(id.as_str())));
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "reveal_approval_used");
    assert_eq!(approve(&world, &senior("sue"), &id).await, "reveal_approval_used");
    assert_eq!(withdraw(&world, &senior("sue"), &id).await, "reveal_approval_used");
    let expected = [
        "reveal pending",
        "reveal deny reveal_approval_not_given",
        "approve allow",
        "approve allow",
        "reveal allow",
        "reveal deny reveal_approval_used",
        "approve deny reveal_approval_used",
        "withdraw deny reveal_approval_used",
    ];
    assert_eq!(world.told(), expected);
}

#[tokio::test]
async fn who_may_agree() {
    let program = asker("acme", "robot", PrincipalKind::Service, &["seniors"]);
    let own_program = asker("acme", "sam", PrincipalKind::Service, &["seniors"]);
    let table: Vec<(&str, Asker, &str)> = vec![
        ("a colleague", senior("sue"), "done"),
        ("the asker", senior("sam"), "reveal_same_person"),
        ("a program", program, "reveal_not_a_person"),
        ("the asker's program", own_program, "reveal_not_a_person"),
        ("who is in no group of the rule", person("otto", &["outsiders"]), "reveal_not_in_group"),
        ("whom the policies do not permit it", person("rita", &["reviewers"]), "reveal_not_permitted"),
        ("whom a policy forbids it", person("leo", &["seniors", "leavers"]), "reveal_forbidden"),
        ("somebody of another tenant", asker("globex", "sue", PrincipalKind::User, &["seniors"]), "reveal_approval_unknown"),
    ];
    for (what, who, expected) in table {
        let world = World::new();
        let id = pending(&world).await;
        assert_eq!(approve(&world, &who, &id).await, expected, "{what}");
        let (envelope, access) = world.last_event();
        assert_eq!((&*envelope.principal, &*access.action), (who.facts.principal.as_str(), "approve"), "{what}");
        let shown = ask(&world, &senior("sam"), &with(&id)).await;
        assert_eq!(shown, if expected == "done" { "1 shown" } else { "reveal_approval_not_given" }, "{what}");
    }
}

/// An agreement is for one reveal: this request, these texts, this form, this asker.
#[tokio::test]
async fn an_approval_is_for_one_reveal() {
    let world = World::new();
    world.rule(&["reviewers", "seniors"], true, 100);
    let other = "019a0000-0000-7000-8000-000000000003".parse().unwrap();
    let mut elsewhere = kept(5, Part::Prompt);
    elsewhere.context.request = other;
    world.texts.lock().unwrap().push(elsewhere);
    let id = pending(&world).await;
    assert_eq!(approve(&world, &senior("sue"), &id).await, "done");
    let both = person("sam", &["seniors", "reviewers"]);
    for (what, who, reveal) in [
        ("another request", senior("sam"), Reveal { request: other, ..with(&id) }),
        ("another form", both, Reveal { form: Form::Redacted, ..with(&id) }),
        ("another asker", senior("sid"), with(&id)),
        ("who agreed", senior("sue"), with(&id)),
        ("a program of the asker's name", asker("acme", "sam", PrincipalKind::Service, &["seniors"]), with(&id)),
    ] {
        assert_eq!(ask(&world, &who, &reveal).await, "reveal_approval_for_other", "{what}");
    }
    let stranger = asker("globex", "sam", PrincipalKind::User, &["seniors"]);
    assert_eq!(ask(&world, &stranger, &with(&id)).await, "reveal_nothing_here");
    world.texts.lock().unwrap().push(kept(2, Part::Response));
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "reveal_approval_for_other", "more texts than were agreed to");
    let only_prompt = Reveal { part: Some(Part::Prompt), ..with(&id) };
    assert_eq!(ask(&world, &senior("sam"), &only_prompt).await, "1 shown");
    for id in ["", "..", "../holds/h", "not-an-id", "019a0000-0000-7000-8000-00000000000f"] {
        assert_eq!(ask(&world, &senior("sam"), &with(id)).await, "reveal_approval_unknown", "{id}");
    }
}

#[tokio::test]
async fn an_approval_ends_after_a_day() {
    let world = World::new();
    let id = pending(&world).await;
    assert_eq!(approve(&world, &senior("sue"), &id).await, "done");
    world.pass(24);
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "reveal_approval_expired");
    let late = pending(&world).await;
    world.pass(24);
    assert_eq!(approve(&world, &senior("sue"), &late).await, "reveal_approval_expired");
    assert!(world.desk().pending(&senior("sue")).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_approval_can_be_withdrawn_by_whose_it_is() {
    for (who, expected) in [("sue", "done"), ("sam", "done"), ("sid", "reveal_approval_unknown")] {
        let world = World::new();
        let id = pending(&world).await;
        assert_eq!(approve(&world, &senior("sue"), &id).await, "done");
        assert_eq!(withdraw(&world, &senior(who), &id).await, expected);
        let shown = ask(&world, &senior("sam"), &with(&id)).await;
        assert_eq!(shown, if expected == "done" { "reveal_approval_withdrawn" } else { "1 shown" });
    }
}

/// Of many who use one agreement at the same time, one sees the text.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_same_time_it_is_used_once() {
    let world = World::new();
    let id = pending(&world).await;
    assert_eq!(approve(&world, &senior("sue"), &id).await, "done");
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (world, id) = (Arc::clone(&world), id.clone());
            tokio::spawn(async move { ask(&world, &senior("sam"), &with(&id)).await })
        })
        .collect();
    let mut shown = 0;
    for one in tries {
        shown += usize::from(one.await.unwrap() == "1 shown");
    }
    assert_eq!(shown, 1);
}

/// An agreement does not outlive the text.
#[tokio::test]
async fn what_is_gone_since_is_not_shown() {
    let world = World::new();
    let id = pending(&world).await;
    assert_eq!(approve(&world, &senior("sue"), &id).await, "done");
    world.forgotten.lock().unwrap().insert(kept(1, Part::Prompt).content_id.to_string());
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "reveal_text_forgotten");
    world.texts.lock().unwrap().clear();
    assert_eq!(approve(&world, &senior("sue"), &id).await, "reveal_nothing_here");
}

#[tokio::test]
async fn what_waits_is_shown_to_whose_business_it_is() {
    let world = World::new();
    let id = pending(&world).await;
    for (who, sees) in [
        (senior("sam"), true),
        (senior("sue"), true),
        (person("rita", &["reviewers"]), false),
        (person("otto", &["outsiders"]), false),
        (asker("globex", "sue", PrincipalKind::User, &["seniors"]), false),
    ] {
        let found = world.desk().pending(&who).await.unwrap();
        assert_eq!(found.len(), usize::from(sees), "{}", who.facts.principal);
    }
    let shown = world.desk().pending(&senior("sue")).await.unwrap().remove(0);
    assert_eq!((shown.approval_id.as_str(), shown.asker.as_str(), shown.reason.as_str()), (id.as_str(), "sam", "complaint 4711"));
    assert_eq!((shown.redacted, shown.texts, shown.approved), (false, 1, false));
    approve(&world, &senior("sue"), &id).await;
    assert!(world.desk().pending(&senior("sue")).await.unwrap().remove(0).approved);
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "1 shown");
    assert!(world.desk().pending(&senior("sue")).await.unwrap().is_empty());
}

/// A document that somebody else wrote into the store opens nothing.
#[tokio::test]
async fn an_altered_document_is_refused() {
    let world = World::new();
    let id = pending(&world).await;
    let name = format!("reveals/{id}.approved");
    world.papers.lock().unwrap().insert(name, br#"{"by":"sue"}"#.to_vec());
    assert_eq!(ask(&world, &senior("sam"), &with(&id)).await, "failed reveal_record_unusable");
    assert_eq!(world.told().last().unwrap(), "reveal deny reveal_record_unusable");
}
