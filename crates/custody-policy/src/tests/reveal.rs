//! Who may see kept text (LOG-20).

use custody_types::DataClass;

use super::*;

fn content(tenant: &str, class: DataClass, part: &str) -> Content {
    Content::new(&ContentFacts {
        id: "019a0000-0000-7000-8000-000000000001".to_owned(),
        tenant: tenant.parse().unwrap(),
        purpose: "quality".parse().unwrap(),
        retention_class: "short".parse().unwrap(),
        data_class: class,
        part: part.to_owned(),
        capability: "support.answer".parse().unwrap(),
    })
    .unwrap()
}

fn reveal(set: &PolicySet, principal: &Principal, content: &Content, (redacted, second_person): (bool, bool)) -> Decision {
    let environment = production();
    set.may_reveal(principal, content, RevealContext { environment: &environment, redacted, second_person, reason_given: true })
}

fn alice(groups: &[&str]) -> Principal {
    principal("acme", PrincipalKind::User, groups)
}

#[test]
fn by_default_nobody_sees_anything() {
    let set = PolicySet::load(SCHEMA, &[CAPABILITIES, ROUTES, REVEALS]).unwrap();
    for groups in [&[][..], &["quality-review"], &["security-review"], &["replay"]] {
        let decision = reveal(&set, &alice(groups), &content("acme", DataClass::Public, "prompt"), (true, true));
        assert_eq!((decision.allowed, decision.denial), (false, Some(DenialReason::NotPermitted)));
    }
}

/// PATH-02: the text of another tenant does not exist, whatever a policy permits.
#[test]
fn text_exists_for_its_own_tenant_only() {
    let set = load(PERMIT_ALL);
    let theirs = content("globex", DataClass::Public, "prompt");
    assert!(reveal(&set, &principal("globex", PrincipalKind::User, &[]), &theirs, (true, true)).allowed);
    let decision = reveal(&set, &alice(&[]), &theirs, (true, true));
    assert_eq!((decision.allowed, ids(&decision)), (false, vec!["custody.tenant_isolation"]));
}

/// A schema from before there were reveals: valid, and no policy, however wide, opens anything.
#[test]
fn a_schema_without_reveals_is_valid_and_denies_them() {
    let (before, _) = SCHEMA.text.split_once("\n// May this principal see this text?").unwrap();
    let old = SourceFile { text: before, ..SCHEMA };
    let set = PolicySet::load(old, &[SourceFile { name: "test.cedar", text: PERMIT_ALL }]).unwrap_or_else(|error| panic!("{error}"));
    assert!(invoke(&set, &service("acme"), &capability("docs.summarise")).allowed);
    let decision = reveal(&set, &alice(&[]), &content("acme", DataClass::Public, "prompt"), (true, true));
    assert_eq!((decision.allowed, decision.denial), (false, Some(DenialReason::NotPermitted)));
}

#[test]
fn a_schema_that_knows_reveals_in_another_shape_is_refused() {
    for (from, to, word) in [
        ("    secondPerson: Bool,\n", "", "secondPerson"),
        ("  retentionClass: String,\n", "", "retentionClass"),
        ("    redacted: Bool,", "    redacted: String,", "redacted"),
        ("principal: [User, Service],\n  resource: [Content]", "principal: [User],\n  resource: [Content]", "Service"),
    ] {
        let text = SCHEMA.text.replacen(from, to, 1);
        assert_ne!(text, SCHEMA.text, "{from}");
        let error = PolicySet::load(SourceFile { text: &text, ..SCHEMA }, &[]).expect_err(from);
        assert!(error.mistakes().iter().any(|mistake| mistake.to_string().contains(word)), "{from}: {error}");
    }
}

/// The policies that the example's comments show, taken out of them.
fn shown() -> PolicySet {
    let lines = REVEALS.text.lines().map(|line| line.strip_prefix("//   ").unwrap_or(line));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    load(&text)
}

#[test]
fn what_the_example_shows_does_what_it_says() {
    let set = shown();
    let (quality, security) = (alice(&["quality-review"]), alice(&["security-review"]));
    let confidential = content("acme", DataClass::Confidential, "prompt");
    assert!(reveal(&set, &quality, &confidential, (true, false)).allowed);
    assert!(!reveal(&set, &quality, &confidential, (false, true)).allowed);
    assert!(!reveal(&set, &quality, &content("acme", DataClass::Public, "retrieved_text"), (true, false)).allowed);
    assert!(reveal(&set, &security, &confidential, (false, true)).allowed);
    assert!(!reveal(&set, &security, &confidential, (false, false)).allowed);
    assert!(!reveal(&set, &security, &content("acme", DataClass::Restricted, "prompt"), (false, true)).allowed);
    let program = principal("acme", PrincipalKind::Service, &["security-review", "quality-review"]);
    assert_eq!(ids(&reveal(&set, &program, &confidential, (false, true))), ["reveal.full_text_for_people_only"]);
    assert!(reveal(&set, &program, &confidential, (true, true)).allowed);
    let environment = production();
    let without_reason = RevealContext { environment: &environment, redacted: true, second_person: true, reason_given: false };
    assert_eq!(ids(&set.may_reveal(&quality, &confidential, without_reason)), ["reveal.needs_a_reason"]);
}
