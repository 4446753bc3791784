//! What the parser takes and refuses.

use custody_types::Fault;

use super::*;

pub(super) fn with_price(price: &str) -> String {
    file(&[entry("e1", "2026-01-01", None)]).replace("\"1\"", &format!("\"{price}\""))
}

fn file(entries: &[String]) -> String {
    format!("version = \"v1\"\ncurrency = \"USD\"\n{}", entries.concat())
}

fn entry(id: &str, from: &str, to: Option<&str>) -> String {
    let to = to.map_or(String::new(), |to| format!("effective_to = {to}\n"));
    format!(
        "[[entries]]\nid = \"{id}\"\nprovider = \"simulator\"\nmodel = \"m\"\neffective_from = {from}\n{to}per_million_tokens = {{ input = \"1\" }}\n"
    )
}

fn mistakes(text: &str) -> Vec<PriceMistake> {
    PriceBook::parse("p.toml", text).expect_err(text).mistakes().to_vec()
}

fn keys(text: &str) -> Vec<String> {
    mistakes(text).into_iter().map(|mistake| mistake.key).collect()
}

#[test]
fn the_entry_of_the_moment_is_taken_and_its_end_is_outside() {
    let text = file(&[entry("new", "2026-03-01", None), entry("old", "2026-01-01T00:00:00+01:00", Some("2026-02-01"))]);
    let book = PriceBook::parse("p.toml", &text).unwrap();
    let id_at = |at: &str| {
        let at = chrono::DateTime::parse_from_rfc3339(at).unwrap().timestamp_micros();
        let found = book.entry(Provider::Simulator, &model("m"), Timestamp::from_micros(at));
        found.map(|entry| entry.id.to_string())
    };
    assert_eq!(id_at("2025-12-31T22:59:59Z"), None);
    assert_eq!(id_at("2025-12-31T23:00:00Z").as_deref(), Some("old"));
    assert_eq!(id_at("2026-01-31T23:59:59.999999Z").as_deref(), Some("old"));
    assert_eq!(id_at("2026-02-01T00:00:00Z"), None, "a gap has no price");
    assert_eq!(id_at("2026-03-01T00:00:00Z").as_deref(), Some("new"));
    assert_eq!(id_at("2036-03-01T00:00:00Z").as_deref(), Some("new"));
}

#[test]
fn every_mistake_is_reported_with_key_value_and_what_is_accepted() {
    let text = r#"
        version = "2026 11"
        currency = "EUR"
        owner = "me"
        [[entries]]
        id = 7
        provider = "bedrok"
        model = ""
        effective_from = "2026-01-01"
        effective_to = 2026-01-01T00:00:00
        tier = "gold"
        [entries.per_million_tokens]
        input = 0.15
        output = "0.1234567"
        cached = "1"
        cache_read = "-1"
        cache_write_5m = "1e3"
        [[entries]]
        id = "e2"
    "#;
    let found = mistakes(text);
    let expected = [
        ("version", "`2026 11`"),
        ("currency", "`EUR`"),
        ("owner", "not a known key"),
        ("entries[0].tier", "not a known key"),
        ("entries[0].id", "`7` (integer)"),
        ("entries[0].provider", "`bedrok`"),
        ("entries[0].model", "``"),
        ("entries[0].effective_from", "`2026-01-01`"),
        ("entries[0].effective_to", "`2026-01-01T00:00:00` (datetime)"),
        ("entries[0].per_million_tokens.cached", "not a known key"),
        ("entries[0].per_million_tokens.input", "`0.15` (float)"),
        ("entries[0].per_million_tokens.cache_read", "`-1`"),
        ("entries[0].per_million_tokens.cache_write_5m", "`1e3`"),
        ("entries[0].per_million_tokens.output", "`0.1234567`"),
        ("entries[1].provider", "missing"),
        ("entries[1].model", "missing"),
        ("entries[1].effective_from", "missing"),
        ("entries[1].per_million_tokens", "missing"),
    ];
    let found: Vec<(&str, &str)> = found.iter().map(|mistake| (mistake.key.as_str(), mistake.found.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_price_that_is_not_whole_pico_dollars_per_token_is_refused() {
    for bad in ["0.0000001", "1.2345678", "", "1.", "9300000", "-0", "0.1 "] {
        assert_eq!(keys(&with_price(bad)), ["entries[0].per_million_tokens.input"], "{bad}");
    }
    for good in ["0", "0.000001", "0.1000000000", "9200000"] {
        assert!(PriceBook::parse("p", &with_price(good)).is_ok(), "{good}");
    }
}

#[test]
fn overlapping_times_of_one_model_are_refused() {
    let (open, bounded) = (entry("a", "2026-01-01", None), entry("b", "2026-06-01", Some("2026-07-01")));
    assert_eq!(keys(&file(&[open.clone(), bounded.clone()])), ["entries[1].effective_from"]);
    assert_eq!(keys(&file(&[bounded.clone(), open])), ["entries[1].effective_from"]);
    let touching = entry("c", "2026-07-01", None);
    assert!(PriceBook::parse("p", &file(&[touching.clone(), bounded.clone()])).is_ok());
    let other_model = entry("d", "2026-01-01", None).replace("model = \"m\"", "model = \"n\"");
    assert!(PriceBook::parse("p", &file(&[touching, other_model])).is_ok());
}

#[test]
fn an_id_names_one_entry() {
    let text = file(&[entry("a", "2026-01-01", Some("2026-02-01")), entry("a", "2026-02-01", None)]);
    assert_eq!(keys(&text), ["entries[1].id"]);
}

#[test]
fn an_entry_that_ends_before_it_begins_or_prices_nothing_is_refused() {
    assert_eq!(keys(&file(&[entry("a", "2026-01-01", Some("2026-01-01"))])), ["entries[0].effective_to"]);
    let nothing = file(&[entry("a", "2026-01-01", None)]).replace("{ input = \"1\" }", "{}");
    assert_eq!(keys(&nothing), ["entries[0].per_million_tokens.input"]);
    assert_eq!(keys("version = \"v\"\ncurrency = \"USD\""), ["entries"]);
}

#[test]
fn what_is_not_toml_says_where() {
    let error = PriceBook::parse("p.toml", "version = \"v\"\ncurrency = \n").unwrap_err();
    assert!(error.to_string().contains("p.toml is not TOML at line 2"), "{error}");
    assert_eq!(error.code(), "price_book_invalid");
    assert!(!error.to_string().contains('\n'));
}

#[test]
fn the_hash_is_that_of_the_text() {
    let book = PriceBook::parse("p", EXAMPLE).unwrap();
    assert_eq!(book.hash().len(), 64);
    assert_ne!(book.hash(), PriceBook::parse("p", &format!("{EXAMPLE}\n")).unwrap().hash());
    assert_eq!(&**book.version(), "2026-11");
}
