//! Who sees what, row by row; each row's attempt is one event that says the same.

use super::*;

type Change = fn(&World);

/// One text, and what is different about it.
fn change_text(world: &World, change: fn(&mut KeptText)) {
    change(&mut world.texts.lock().unwrap()[0]);
}

#[tokio::test]
async fn who_sees_what() {
    let reviewer = || person("rita", &["reviewers"]);
    let nothing: Change = |_| {};
    let table: Vec<(&str, Asker, Reveal, Change, &str)> = vec![
        ("a reviewer sees what redaction leaves", reviewer(), redacted(), nothing, "1 shown"),
        ("the full text needs another policy", reviewer(), full(), nothing, "reveal_not_permitted"),
        (
            "another tenant's reviewer",
            asker("globex", "rita", PrincipalKind::User, &["reviewers"]),
            redacted(),
            nothing,
            "reveal_nothing_here",
        ),
        (
            "a request that does not exist",
            reviewer(),
            Reveal { request: RequestId::from_uuid(uuid::Uuid::from_u128(9)), ..redacted() },
            nothing,
            "reveal_nothing_here",
        ),
        ("a part that is not kept", reviewer(), Reveal { part: Some(Part::Response), ..redacted() }, nothing, "reveal_nothing_here"),
        ("the part that is", reviewer(), Reveal { part: Some(Part::Prompt), ..redacted() }, nothing, "1 shown"),
        ("no group of the rule", person("rita", &["strangers"]), redacted(), nothing, "reveal_not_in_group"),
        ("no group at all", person("rita", &[]), redacted(), nothing, "reveal_not_in_group"),
        ("a policy permits, the rule does not", person("otto", &["outsiders"]), redacted(), nothing, "reveal_not_in_group"),
        ("a policy forbids", person("leo", &["reviewers", "leavers"]), redacted(), nothing, "reveal_forbidden"),
        ("the rule is gone", reviewer(), redacted(), |world| world.rules.lock().unwrap().clear(), "reveal_not_in_group"),
        ("the rule names nobody", reviewer(), redacted(), |world| world.rule(&[], false, 100), "reveal_not_in_group"),
        ("no reason", reviewer(), Reveal { reason: SensitiveText::new(" \n "), ..redacted() }, nothing, "reveal_reason_missing"),
        (
            "a reason without end",
            reviewer(),
            Reveal { reason: SensitiveText::new("x".repeat(501)), ..redacted() },
            nothing,
            "reveal_reason_too_long",
        ),
        ("a reason at its bound", reviewer(), Reveal { reason: SensitiveText::new("ü".repeat(500)), ..redacted() }, nothing, "1 shown"),
        ("the rule wants a second person", reviewer(), redacted(), |world| world.rule(&["reviewers"], true, 100), "pending"),
        ("the policy wants a second person", person("sam", &["seniors"]), full(), nothing, "pending"),
        ("nothing may be seen in an hour", reviewer(), redacted(), |world| world.rule(&["reviewers"], false, 0), "reveal_rate_exceeded"),
        ("its last day", reviewer(), redacted(), |world| change_text(world, |text| text.expires_on = TODAY + 1), "1 shown"),
        ("its time is over", reviewer(), redacted(), |world| change_text(world, |text| text.expires_on = TODAY), "reveal_text_expired"),
        (
            "its time is over, but it is held",
            reviewer(),
            redacted(),
            |world| {
                change_text(world, |text| text.expires_on = TODAY);
                world.held.lock().unwrap().insert(kept(1, Part::Prompt).content_id.to_string());
            },
            "1 shown",
        ),
        (
            "it never opened",
            reviewer(),
            redacted(),
            |world| change_text(world, |text| text.state = State::Unopened),
            "reveal_text_unopened",
        ),
        (
            "it was forgotten before it came",
            reviewer(),
            redacted(),
            |world| change_text(world, |text| text.state = State::Forgotten),
            "reveal_text_forgotten",
        ),
        (
            "a tombstone covers it",
            reviewer(),
            redacted(),
            |world| {
                world.forgotten.lock().unwrap().insert(kept(1, Part::Prompt).content_id.to_string());
            },
            "reveal_text_forgotten",
        ),
        (
            "a tombstone covers it, and a hold came too late",
            reviewer(),
            redacted(),
            |world| {
                world.forgotten.lock().unwrap().insert(kept(1, Part::Prompt).content_id.to_string());
                world.held.lock().unwrap().insert(kept(1, Part::Prompt).content_id.to_string());
            },
            "reveal_text_forgotten",
        ),
    ];
    for (what, who, reveal, change, expected) in table {
        let world = World::new();
        change(&world);
        assert_eq!(ask(&world, &who, &reveal).await, expected, "{what}");
        let told = world.told();
        let action = if reveal.form == Form::Full { "reveal" } else { "reveal_redacted" };
        let decision = match expected {
            "1 shown" => "allow".to_owned(),
            "pending" => "pending".to_owned(),
            code => format!("deny {code}"),
        };
        assert_eq!(told, [format!("{action} {decision}")], "{what}: one event");
        let opened = world.calls.lock().unwrap().iter().filter(|call| *call == "open").count();
        assert_eq!(opened, usize::from(expected == "1 shown"), "{what}");
    }
}

/// What exists in another tenant only is told of as what exists nowhere: the same answer, the same event, the same work.
#[tokio::test]
async fn another_tenants_texts_do_not_exist() {
    let stranger = asker("globex", "rita", PrincipalKind::User, &["reviewers"]);
    let nowhere = Reveal { request: RequestId::from_uuid(uuid::Uuid::from_u128(9)), ..redacted() };
    let mut seen = Vec::new();
    for reveal in [redacted(), nowhere] {
        let world = World::new();
        let answer = ask(&world, &stranger, &reveal).await;
        let (envelope, mut access) = world.last_event();
        assert!(access.content_ids.is_empty(), "{:?}", access.content_ids);
        access.reason = None;
        let envelope = Envelope { request_id: None, ..envelope };
        seen.push((answer, envelope, access, world.calls.lock().unwrap().clone()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(&*seen[0].1.tenant, "globex");
}

#[tokio::test]
async fn the_event_says_who_saw_what_and_why() {
    let world = World::new();
    let reveal = Reveal { reason: SensitiveText::new("asked by jane.doe@example.com,\ncase 7"), ..redacted() };
    assert_eq!(ask(&world, &person("rita", &["reviewers"]), &reveal).await, "1 shown");
    let (envelope, access) = world.last_event();
    assert_eq!(access.reason.as_deref(), Some("asked by [EMAIL], case 7"));
    assert_eq!(access.policy_ids, ["redacted".into()]);
    assert_eq!(access.content_ids, [kept(1, Part::Prompt).content_id]);
    assert_eq!((&*envelope.tenant, &*envelope.principal, envelope.request_id.as_deref()), ("acme", "rita", Some(REQUEST)));
    assert_eq!((envelope.handling_rule.as_deref(), envelope.api_key_id.as_deref()), (Some("support@3"), Some("k1")));
    assert_eq!((envelope.capability.as_deref(), envelope.data_class.as_deref()), (Some("support.answer"), Some("confidential")));
}

/// One text that the policies keep from the asker keeps all: who wants less asks for a part.
#[tokio::test]
async fn all_or_nothing() {
    let world = World::new();
    let forbidden = KeptText { handling_rule: "strict@1".into(), ..kept(2, Part::Response) };
    world.texts.lock().unwrap().push(forbidden);
    let reviewer = person("rita", &["reviewers"]);
    assert_eq!(ask(&world, &reviewer, &redacted()).await, "reveal_not_in_group");
    assert_eq!(ask(&world, &reviewer, &Reveal { part: Some(Part::Prompt), ..redacted() }).await, "1 shown");
}

#[tokio::test]
async fn texts_that_cannot_be_shown_are_named_beside_those_that_can() {
    let world = World::new();
    world.texts.lock().unwrap().push(KeptText { state: State::Unopened, ..kept(2, Part::Response) });
    assert_eq!(ask(&world, &person("rita", &["reviewers"]), &redacted()).await, "1 shown, reveal_text_unopened");
    assert_eq!(world.last_event().1.content_ids, [kept(1, Part::Prompt).content_id]);
}

/// Attempts count, whatever becomes of them; a reveal counts each of its texts. Another process, principal or hour counts apart.
#[tokio::test]
async fn only_so_many_texts_within_an_hour() {
    let world = World::new();
    world.rule(&["reviewers"], false, 5);
    world.texts.lock().unwrap().push(kept(2, Part::Response));
    let (rita, rolf) = (person("rita", &["reviewers"]), person("rolf", &["reviewers"]));
    assert_eq!(ask(&world, &rita, &redacted()).await, "2 shown");
    assert_eq!(ask(&world, &rita, &full()).await, "reveal_not_permitted");
    assert_eq!(ask(&world, &rita, &redacted()).await, "2 shown");
    assert_eq!(ask(&world, &rita, &redacted()).await, "reveal_rate_exceeded");
    assert_eq!(ask(&world, &rolf, &redacted()).await, "2 shown");
    let program = asker("acme", "rita", PrincipalKind::Service, &["reviewers"]);
    assert_eq!(ask(&world, &program, &redacted()).await, "2 shown", "a program of the same name is another principal");
    world.pass(1);
    assert_eq!(ask(&world, &rita, &redacted()).await, "2 shown");
    let hours: BTreeSet<String> = world
        .papers
        .lock()
        .unwrap()
        .keys()
        .filter(|name| name.contains("user:rita"))
        .map(|name| name.split('/').nth(3).unwrap().to_owned())
        .collect();
    assert_eq!(hours.len(), 1, "earlier hours are not kept");
}

/// Guessing requests is bounded too.
#[tokio::test]
async fn only_so_many_guesses_within_an_hour() {
    let world = World::new();
    let guess = |number| Reveal { request: RequestId::from_uuid(uuid::Uuid::from_u128(number)), ..redacted() };
    for number in 0..20 {
        assert_eq!(ask(&world, &person("rita", &["reviewers"]), &guess(number)).await, "reveal_nothing_here");
    }
    assert_eq!(ask(&world, &person("rita", &["reviewers"]), &guess(21)).await, "reveal_rate_exceeded");
}

/// Whoever saw many texts and then names one that is not there is told so.
#[tokio::test]
async fn texts_that_were_seen_are_not_counted_as_guesses() {
    let world = World::new();
    world.rule(&["reviewers"], false, 100);
    let rita = person("rita", &["reviewers"]);
    for _ in 0..25 {
        assert_eq!(ask(&world, &rita, &redacted()).await, "1 shown");
    }
    let guess = Reveal { request: RequestId::from_uuid(uuid::Uuid::from_u128(7)), ..redacted() };
    assert_eq!(ask(&world, &rita, &guess).await, "reveal_nothing_here");
}

#[test]
fn no_two_denials_share_a_code_or_a_sentence() {
    use Denial::*;
    let all = [
        ReasonMissing,
        ReasonTooLong,
        NothingHere,
        RateExceeded,
        NotInGroup,
        NotPermitted,
        Forbidden,
        EvaluationError,
        ApprovalUnknown,
        ApprovalNotGiven,
        ApprovalExpired,
        ApprovalWithdrawn,
        ApprovalUsed,
        ApprovalForOther,
        SamePerson,
        NotAPerson,
        TextForgotten,
        TextExpired,
        TextUnopened,
    ];
    let codes: BTreeSet<_> = all.iter().map(|denial| denial.code()).collect();
    let sentences: BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((codes.len(), sentences.len()), (all.len(), all.len()));
}
