//! `custody price explain` and `reprice` over a trail that has everything a price depends on (LOG-14, LOG-39).

use custody_event::Cost;
use tempfile::TempDir;

use crate::{
    harness::{number, sql},
    trail::{Told, Trail, at_bedrock, cost, cost_with_facts, guardrail_cost, price, request_id, text},
};

const LARGE: &str = "maker.large";
const PERIOD: [&str; 5] = ["reprice", "--from", "2026-11-20", "--before", "2026-11-21"];

/// Requests 1 to 7 each show one thing; see the tests.
fn trail() -> TempDir {
    let mut trail = Trail::default();
    let profile = Cost {
        priced_model: Some(text(LARGE)),
        geography: Some(text("eu")),
        service_tier: Some(text("priority")),
        ..cost_with_facts(1, "profile-x", Some(5_874_000_000))
    };
    trail.request(1, "acme", vec![told([1000, 400, 50], "profile-x", vec![profile, guardrail_cost(1, 2, 300_000_000)])]);
    trail.request(2, "acme", vec![told([100, 0, 10], LARGE, vec![cost(1, LARGE, Some(450_000_000))])]);
    trail.withheld(2);
    trail.request(3, "globex", vec![told([100, 0, 10], LARGE, vec![cost_with_facts(1, LARGE, Some(450_000_001))])]);
    let unknown_tier = Cost { service_tier: None, ..cost_with_facts(1, LARGE, None) };
    trail.request(4, "globex", vec![told([100, 0, 10], LARGE, vec![unknown_tier])]);
    let zurich = Cost { region: Some(text("eu-central-2")), ..cost_with_facts(1, LARGE, Some(600_000_000)) };
    let fast = Cost { variant: Some(text("latency_optimized")), ..cost_with_facts(2, LARGE, Some(1_350_000_000)) };
    let second = Told { invocation: at_bedrock(2, LARGE, [100, 0, 10]), costs: vec![fast] };
    trail.request(5, "globex", vec![told([100, 0, 10], LARGE, vec![zurich]), second]);
    // 900 µs are one millisecond begun.
    let bought = Cost { items: [(text("request_second"), 1)].into_iter().collect(), ..cost_with_facts(1, "bought.large", Some(2_000_000)) };
    trail.request(6, "globex", vec![told([100, 0, 10], "bought.large", vec![bought])]);
    // Two events tell of the end of one attempt: its cost is still one.
    let again = Told { invocation: at_bedrock(1, LARGE, [100, 0, 10]), costs: vec![] };
    trail.request(7, "globex", vec![told([100, 0, 10], LARGE, vec![cost_with_facts(1, LARGE, Some(450_000_000))]), again]);
    trail.stored()
}

fn told(counts: [i64; 3], model: &str, costs: Vec<Cost>) -> Told {
    Told { invocation: at_bedrock(1, model, counts), costs }
}

fn has(output: &str, words: &str) -> bool {
    let squeezed = output.split_whitespace().collect::<Vec<_>>().join(" ");
    squeezed.contains(words)
}

#[test]
fn explain_uses_what_each_cost_event_keeps() {
    let folder = trail();
    let explained = |number: i64, code: i32, words: &[&str]| {
        let (found, output, _) = price(&folder, &["explain", &request_id(number)]);
        assert_eq!(found, code, "{output}");
        for words in words {
            assert!(has(&output, words), "`{words}` is not in\n{output}");
        }
        output
    };
    let both = explained(
        1,
        0,
        &[
            "bedrock profile-x, service priority, Region eu-central-1, geography eu, priced as maker.large",
            "input 600 token × 0.000006000000 × 1.1 = 0.003960000000 USD",
            "cache_read 400 token × 0.000000600000 × 1.1 = 0.000264000000 USD",
            "because the priority tier answered",
            "total 0.005874000000 USD by book test",
            "charged for the guardrail",
            "guardrail_content 2 piece × 0.000150000000 = 0.000300000000 USD",
            "recorded 0.000300000000 USD by book test",
        ],
    );
    assert!(!has(&both, "another amount") && !has(&both, "not recorded"));
    let once = explained(
        2,
        0,
        &["class of service, profile and variant were not recorded: standard is taken, in the route's Region (eu-central-1)"],
    );
    assert!(has(&once, "attempt 1") && !has(&once, "attempt 2"), "an attempt that was withheld is none\n{once}");
    explained(3, 3, &["total 0.000450000000 USD", "recorded 0.000450000001 USD by book test: another amount"]);
    explained(4, 0, &["service unknown", "no amount: missing_price", "recorded nothing (missing_price)"]);
    explained(
        5,
        0,
        &["attempt 1", "the entry is for Region eu-central-2", "attempt 2", "variant latency_optimized", "total 0.001350000000 USD"],
    );
    explained(
        6,
        0,
        &["request_second 1 millisecond × 0.000002000000 = 0.000002000000 USD", "tokens without a price are paid for by capacity"],
    );
}

/// Every cost event is once in both sums, by whatever is summed; the recorded sum is the one that SQL gives.
#[test]
fn reprice_balances_by_every_key() {
    let folder = trail();
    let costs = number(folder.path(), "select count(*) from costs");
    let recorded = number(folder.path(), "select sum(amount_pico) from costs");
    assert_eq!((costs, recorded), (9, 5_874_000_000 + 300_000_000 + 450_000_000 * 3 + 1 + 600_000_000 + 1_350_000_000 + 2_000_000));
    for by in ["tenant", "feature", "workflow", "capability", "model", "route", "api-key", "charged-for", "tenant,feature,model"] {
        let (code, output, error) = price(&folder, &[&PERIOD[..], &["--by", by]].concat());
        assert_eq!(code, 0, "{error}");
        let all = figures(&output, |line| line.starts_with("all "));
        assert_eq!(all, [(costs, recorded, recorded - 1)], "by {by}\n{output}");
        let groups = figures(&output, |line| !line.starts_with("all "));
        let sum = groups.iter().fold((0, 0, 0), |sum, group| (sum.0 + group.0, sum.1 + group.1, sum.2 + group.2));
        assert_eq!(sum, all[0], "by {by}\n{output}");
    }
    let (_, output, _) = price(&folder, &[&PERIOD[..], &["--by", "charged-for"]].concat());
    assert!(has(&output, "guardrail 1 0.000300000000 0.000300000000"), "{output}");
    assert!(
        has(&output, "recorded without amount: 1 (missing_price)") && has(&output, "1 of them do not record class of service"),
        "{output}"
    );
}

/// 400 tokens at 6 instead of 0.6 dollars a million, times 1.1.
#[test]
fn reprice_tells_what_caches_saved() {
    let folder = trail();
    let (_, output, _) = price(&folder, &[&PERIOD[..], &["--by", "tenant", "--savings"]].concat());
    assert!(has(&output, "0.002376000000"), "{output}");
    let without_prices = "version = \"other\"\ncurrency = \"USD\"\n[[entries]]\nid = \"e\"\nprovider = \"bedrock\"\nmodel = \"none\"\n\
                          effective_from = 2026-01-01\nper_million_tokens = { input = \"1\" }\n";
    let other = crate::trail::write(folder.path(), "other.toml", without_prices.as_bytes());
    let arguments = ["price", "reprice", "--from", "2026-11-20", "--before", "2026-11-21", "--savings", "--book", &other, "--data-dir"];
    let output = std::process::Command::new(crate::harness::custody()).args(arguments).arg(folder.path()).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(has(&output, "without amount by this book: 9 (missing_price)"), "{output}");
    assert!(has(&output, "cache reads whose savings have no amount: 1 (missing_price)"), "{output}");
    assert_eq!(sql(folder.path(), "select count(*) as n from costs where amount_pico is null")[0]["n"], 1, "no record was changed");
}

/// Costs, recorded and new pico-dollars of the lines that have them.
fn figures(output: &str, take: impl Fn(&str) -> bool) -> Vec<(i64, i64, i64)> {
    let lines = output.lines().skip(1).filter(|line| !line.starts_with("    ") && !line.contains("do not record") && take(line));
    let pico = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    let figures = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().rev().take(3).collect();
        (words[2].parse().unwrap(), pico(words[1]), pico(words[0]))
    };
    lines.map(figures).collect()
}
