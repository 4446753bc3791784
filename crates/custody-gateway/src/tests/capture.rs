//! What a rule keeps: sealed, bound to its request, and nowhere in the clear. What no rule keeps leaves no trace.

use custody_event::Kind;

use super::{
    harness::{body, converse_body, kinds},
    vault::{self, RULES, TestVault, content, keeping},
};

const ASKED: &str = "canary-asked-7f3a9c51";
const SAID: &str = "canary-said-1b88e2d4";
const CALLED: &str = "canary-called-90acd3f6";

/// The four ways in.
const FRONTS: [(&str, bool); 4] = [("openai", false), ("openai", true), ("converse", false), ("converse", true)];

async fn ask(kept: &vault::Kept, front: &str, stream: bool, key: &str) -> u16 {
    let harness = &kept.harness;
    let seen = match (front, stream) {
        ("openai", false) => harness.send(key, &[], &body("support.answer", ASKED, r#","user":"anna""#)).await,
        ("openai", true) => harness.send(key, &[], &body("support.answer", ASKED, r#","user":"anna","stream":true"#)).await,
        (_, false) => harness.bedrock(key, "/model/support.answer/converse", &[], converse_body(ASKED, "").as_bytes()).await,
        (_, true) => harness.bedrock(key, "/model/support.answer/converse-stream", &[], converse_body(ASKED, "").as_bytes()).await,
    };
    seen.status
}

fn speak(kept: &vault::Kept) {
    *kept.harness.model.says.lock().unwrap() = Some((SAID.to_owned(), format!("{{\"order\":\"{CALLED}\"}}")));
}

// LOG-17: the default keeps nothing, and the content journal is not written to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_rule_nothing_is_kept() {
    for rules in ["", "version = 9"] {
        let kept = keeping(rules, TestVault::open()).await;
        speak(&kept);
        let before = (kept.disk.operations(), kept.journal.stats().commits);
        for (front, stream) in FRONTS {
            assert_eq!(ask(&kept, front, stream, &kept.harness.acme).await, 200);
        }
        assert_eq!((kept.disk.operations(), kept.journal.stats().commits), before, "nothing touched the content journal");
        assert!(kept.records().await.is_empty());
        let events = kept.harness.events().await;
        assert_eq!(kinds(&events), ["request", "prompt", "route", "invocation", "validation", "cost", "outcome"].repeat(4));
        let label = if rules.is_empty() { "none@0" } else { "none@9" };
        assert!(events.iter().all(|event| event.envelope.handling_rule.as_deref() == Some(label)));
        for words in [ASKED, SAID, CALLED] {
            assert_eq!(kept.leaks(words), Vec::<String>::new());
        }
        kept.harness.stop().await;
    }
}

// D4, LOG-18 to LOG-22: each text is sealed, opens for its own context, and stands in no journal in the clear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_front_keeps_prompt_answer_and_tool_arguments_sealed() {
    for (front, stream) in FRONTS {
        let kept = keeping(RULES, TestVault::open()).await;
        speak(&kept);
        assert_eq!(ask(&kept, front, stream, &kept.harness.acme).await, 200);
        let texts = kept.texts().await;
        let [(prompt, 0, asked), (response, 0, said), (tool, 0, called)] = texts.as_slice() else { panic!("{texts:?}") };
        assert_eq!([prompt.as_str(), response, tool], ["prompt", "response", "tool_arguments"]);
        assert!(asked.starts_with("[system]\n") && asked.ends_with(&format!("[user]\n{ASKED}\n\n")), "{asked}");
        assert_eq!(*said, format!("[assistant]\n{SAID}\n\n"));
        assert_eq!(*called, format!("[look_up]\n{{\"order\":\"{CALLED}\"}}\n\n"));
        for words in [ASKED, SAID, CALLED] {
            assert_eq!(kept.leaks(words), Vec::<String>::new(), "{front} {stream}");
        }
        let events = kept.harness.events().await;
        let trail = ["request", "prompt", "content", "route", "invocation", "validation", "cost", "content", "content", "outcome"];
        assert_eq!(kinds(&events), trail);
        assert!(events.iter().all(|event| event.envelope.handling_rule.as_deref() == Some("quality@4")));
        kept.harness.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_says_whose_text_it_is_and_until_when() {
    let kept = keeping(RULES, TestVault::open()).await;
    assert_eq!(ask(&kept, "openai", false, &kept.harness.acme).await, 200);
    let events = kept.harness.events().await;
    let records = kept.records().await;
    let prompt = &records[0];
    assert_eq!((&*prompt.tenant, &*prompt.purpose, &*prompt.retention_class), ("acme", "quality-review", "short"));
    assert_eq!((&*prompt.capability, &*prompt.handling_rule, &*prompt.redaction), ("support.answer", "quality@4", "default"));
    assert_eq!(prompt.person, events[0].envelope.user_pseudonym);
    assert!(prompt.person.is_some());
    assert_eq!(i64::from(prompt.expires_on), prompt.time.utc_day() + 30);
    let fact = events.iter().find_map(content).unwrap();
    assert_eq!(&*fact.expires_on, crate::date::of_day(i64::from(prompt.expires_on)));
    assert_eq!(records.len(), 2, "prompt and response; the answer closes the request");
    assert_eq!(kept.journal.stats().open_requests, 0);
    kept.harness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rule_does_not_name_is_not_kept() {
    let only =
        |parts: &str| RULES.replace(r#"capture = ["prompt", "response", "tool_arguments", "feedback"]"#, &format!("capture = [{parts}]"));
    for (parts, expected) in [
        (r#""prompt""#, vec!["prompt"]),
        (r#""response""#, vec!["response"]),
        (r#""tool_arguments""#, vec!["tool_arguments"]),
        (r#""feedback""#, vec![]),
    ] {
        let kept = keeping(&only(parts), TestVault::open()).await;
        speak(&kept);
        assert_eq!(ask(&kept, "openai", false, &kept.harness.acme).await, 200);
        assert_eq!(kept.texts().await.iter().map(|(part, ..)| part.as_str()).collect::<Vec<_>>(), expected, "{parts}");
        assert_eq!(kept.journal.stats().open_requests, 0);
        let globex = ask(&kept, "openai", false, &kept.harness.globex).await;
        assert_eq!((globex, kept.texts().await.len()), (200, expected.len()), "a rule that forbids comes first");
        kept.harness.stop().await;
    }
}

// D4: what is too large for the stream goes sealed to the store, before the model is called, and before the answer is released.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_texts_are_claimed() {
    let kept = keeping(RULES, TestVault::open()).await;
    let long = format!("{SAID} {}", "x".repeat(20_000));
    *kept.harness.model.says.lock().unwrap() = Some((long.clone(), "{}".to_owned()));
    let asked = format!("{ASKED} {}", "y".repeat(150_000));
    assert_eq!(kept.harness.chat("support.answer", &asked).await.status, 200);
    let texts = kept.texts().await;
    assert_eq!(texts.len(), 3);
    assert!(texts[0].2.contains(&asked) && texts[1].2.contains(&long));
    assert_eq!(kept.vault.claims.lock().unwrap().len(), 2, "the tool's arguments are small");
    assert!(kept.records().await.iter().all(|record| record.sealed.as_ref().is_none_or(|sealed| sealed.0.len() < 9_000)));
    assert_eq!((kept.leaks(ASKED), kept.leaks(SAID)), (Vec::new(), Vec::new()));
    kept.harness.stop().await;
}

// A stream that breaks off after the caller saw a part: that part is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broken_stream_delivered_is_kept() {
    let kept = keeping(RULES, TestVault::open()).await;
    let text = body("support.answer", "simulate: output_tokens=80 cut_after=3", r#","stream":true"#);
    assert_eq!(kept.harness.send(&kept.harness.acme, &[], &text).await.code(), "upstream_cut");
    let texts = kept.texts().await;
    assert_eq!(texts.iter().map(|(part, ordinal, _)| (part.as_str(), *ordinal)).collect::<Vec<_>>(), [("prompt", 0), ("response", 0)]);
    let events = kept.harness.events().await;
    assert!(matches!(&events.last().unwrap().kind, Kind::Outcome(fact) if &*fact.class == "interrupted"));
    kept.harness.stop().await;
}
