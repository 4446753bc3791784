//! LiteLLM's file becomes a book, and nothing of it is dropped in silence.

use super::*;
use crate::litellm::{Import, ImportError, import};

const FIXTURE: &str = include_str!("fixtures/litellm_bedrock.json");
const GOLDEN: &str = include_str!("fixtures/litellm_bedrock.toml");
const FROM_2023: Timestamp = Timestamp::from_micros(1_672_531_200_000_000);

fn imported(json: &str) -> Import {
    import(json, &"v1".into(), FROM_2023).unwrap()
}

fn unexpressed(json: &str) -> Vec<(String, String)> {
    imported(json).unexpressed.into_iter().map(|left| (left.field, left.why)).collect()
}

/// `CUSTODY_REGENERATE=1` writes the golden file anew.
#[test]
fn the_fixture_becomes_this_book() {
    let import = imported(FIXTURE);
    if std::env::var_os("CUSTODY_REGENERATE").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/fixtures/litellm_bedrock.toml"), &import.book).unwrap();
    }
    assert_eq!(import.book, GOLDEN);
    assert_eq!((import.entries, import.others, import.unexpressed), (12, 0, vec![]));
    let repeated: Vec<(&str, &str)> = import.repeated.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    assert_eq!(repeated, [("bedrock/moonshotai.kimi-k2.5", "moonshotai.kimi-k2.5")]);
    PriceBook::parse("golden", GOLDEN).expect("the importer writes what the parser takes");
}

#[test]
fn what_a_book_cannot_say_is_listed() {
    let entry = |fields: &str| format!(r#"{{"m": {{"litellm_provider": "bedrock", "input_cost_per_token": 1e-06, {fields}}}}}"#);
    let cases = [
        (r#""cost_of_luck": 1e-06"#, "cost_of_luck", "the field's meaning is not known"),
        (
            r#""input_cost_per_token_priority_above_200k_tokens": 1e-06"#,
            "input_cost_per_token_priority_above_200k_tokens",
            "the field's meaning is not known",
        ),
        (r#""input_cost_per_token_slow": 1e-06"#, "input_cost_per_token_slow", "the field's meaning is not known"),
        (r#""supports_cost_cuts": true"#, "supports_cost_cuts", "the field's meaning is not known"),
        (
            r#""output_cost_per_token": 1.00000000000001e-06"#,
            "output_cost_per_token",
            "it is not a whole number of pico-dollars for one unit",
        ),
        (r#""output_cost_per_token": -1e-06"#, "output_cost_per_token", "it is negative"),
        (r#""output_cost_per_token": "free""#, "output_cost_per_token", "it is not a number"),
        (r#""output_cost_per_token": 1e+300"#, "output_cost_per_token", "it is larger than an event can hold"),
        (r#""output_cost_per_token": 1e999999999999999999999"#, "output_cost_per_token", "it is not a number"),
        (r#""cost_per_second": 0.0000000001"#, "cost_per_second", "it is not a whole number of pico-dollars for one unit"),
        (
            r#""cost_per_second": 0.1, "input_cost_per_second": 0.2"#,
            "input_cost_per_second",
            "it differs from cost_per_second, and only that one can be charged",
        ),
        (r#""guardrail_cost_per_unit": {"newPolicyUnits": 1}"#, "guardrail_cost_per_unit.newPolicyUnits", "the unit is not known"),
        (r#""search_context_cost_per_query": 1"#, "search_context_cost_per_query", "it is not an object"),
        (r#""provider_specific_entry": {"fast": 6.0}"#, "provider_specific_entry.fast", "the factor's meaning is not known"),
        (r#""provider_specific_entry": {"us": 1e-9}"#, "provider_specific_entry.us", "it is not an exact factor"),
    ];
    for (fields, field, why) in cases {
        assert_eq!(unexpressed(&entry(fields)), [(field.to_owned(), why.to_owned())], "{fields}");
    }
    assert_eq!(unexpressed(r#"{"a b": {"litellm_provider": "bedrock", "cost_per_second": 1}}"#).len(), 1);
    assert_eq!(unexpressed(r#"{"m": {"litellm_provider": "bedrock"}}"#), [(String::new(), "it has no price".to_owned())]);
    assert_eq!(unexpressed(r#"{"m": 7}"#), [(String::new(), "it is not an object".to_owned())]);
}

#[test]
fn two_keys_of_one_model_that_contradict_each_other_are_listed() {
    let json = r#"{"m": {"litellm_provider": "bedrock", "input_cost_per_token": 1e-06},
        "bedrock/m": {"litellm_provider": "bedrock", "input_cost_per_token": 2e-06}}"#;
    let import = imported(json);
    assert_eq!(import.entries, 1);
    assert!(import.book.contains("id = \"m\""), "{}", import.book);
    assert_eq!(import.unexpressed.first().map(|left| left.model.as_str()), Some("bedrock/m"));
}

#[test]
fn entries_of_other_providers_are_counted_and_left_alone() {
    let import = imported(r#"{"gpt": {"litellm_provider": "openai", "cost_of_luck": 1}, "none": {}}"#);
    assert_eq!((import.entries, import.others, import.unexpressed.len()), (0, 2, 0));
}

#[test]
fn what_is_no_json_object_is_refused() {
    assert_eq!(import("[]", &"v".into(), FROM_2023), Err(ImportError::NotAnObject { line: 1 }));
    assert_eq!(import("{\n\n", &"v".into(), FROM_2023), Err(ImportError::NotAnObject { line: 3 }));
}

/// The whole public file, where it lies beside the checkout.
#[test]
fn every_bedrock_entry_of_the_whole_file_is_expressed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/prices/litellm_bedrock.json");
    let Ok(json) = std::fs::read_to_string(path) else {
        eprintln!("skipped: {path} is absent");
        return;
    };
    let import = imported(&json);
    assert_eq!(import.unexpressed, vec![]);
    assert_eq!((import.entries + import.repeated.len(), import.others), (614, 0));
    let unknown: Vec<&String> =
        import.fields.iter().filter(|(_, fate)| fate.taken_for.starts_with("not expressed")).map(|(name, _)| name).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let again = imported(&json);
    assert_eq!(again.book, import.book, "the same file gives the same text");
}

proptest! {
    /// A price reaches the book as the decimal that the file states, however it is written.
    #[test]
    fn a_number_keeps_its_value(digits in 1_u64..1_000_000, places in 0_u32..12) {
        let exact = (PicoUsd::from_pico(i64::try_from(digits).unwrap())).checked_mul(10_u64.pow(12 - places)).unwrap();
        prop_assume!(exact.pico() < 9_000_000_000_000);
        let plain = format!("{:0width$}", digits, width = places as usize + 1);
        let (whole, fraction) = plain.split_at(plain.len() - places as usize);
        let point = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        for text in [point, format!("{digits}e-{places}"), format!("{digits}0.00E-{:02}", places + 1)] {
            let json = format!(r#"{{"m": {{"litellm_provider": "bedrock", "input_cost_per_token": {text}}}}}"#);
            let book = PriceBook::parse("p", &imported(&json).book).unwrap();
            let usage = TokenUsage { input: 1, ..TokenUsage::default() };
            prop_assert_eq!(book.price(Provider::Bedrock, &model("m"), NOV_2026, &usage).unwrap().total, exact);
        }
    }
}
