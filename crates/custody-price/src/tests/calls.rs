//! What a call is charged for beside its tokens.

use std::collections::BTreeMap;

use super::*;

const BOOK: &str = r#"
version = "v1"
currency = "USD"
[[entries]]
id = "plain"
provider = "bedrock"
model = "maker.plain"
effective_from = 2026-01-01
per_million_tokens = { input = "3", output = "15" }
per_item = { web_search_medium = "0.01" }
[[entries]]
id = "by-the-call"
provider = "bedrock"
model = "maker.call"
effective_from = 2026-01-01
per_million_tokens = { input = "3", output = "15" }
per_item = { request = "0.001" }
[[entries]]
id = "bought"
provider = "bedrock"
model = "maker.bought"
effective_from = 2026-01-01
tokens = "included"
per_item = { request_second = "0.002" }
[[entries]]
id = "bought-with-calls"
provider = "bedrock"
model = "maker.both"
effective_from = 2026-01-01
tokens = "included"
per_item = { request_second = "0.002", request = "0.001" }
[[entries]]
id = "given"
provider = "bedrock"
model = "maker.given"
effective_from = 2026-01-01
tokens = "included"
per_item = { web_search_medium = "0.01" }
"#;

const TOKENS: TokenUsage = TokenUsage { input: 100, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 10, reasoning: 0 };

fn cost(name: &str, tokens: TokenUsage, duration_us: Option<u64>, further: &[(Item, u64)]) -> Result<PicoUsd, Finding> {
    let book = PriceBook::parse("p", BOOK).unwrap();
    let facts = Facts::on_demand(Provider::Bedrock, model(name), NOV_2026);
    book.quote_call(&facts, tokens, duration_us, further.iter().copied().collect()).map(|quote| quote.total())
}

#[test]
fn a_call_and_its_time_are_charged_where_the_book_prices_them() {
    assert_eq!(cost("maker.plain", TOKENS, Some(900), &[]), Ok(usd("0.00045")));
    assert_eq!(cost("maker.call", TOKENS, Some(900), &[]), Ok(usd("0.00145")));
    assert_eq!(cost("maker.bought", TOKENS, Some(900), &[]), Ok(usd("0.000002")), "a begun millisecond is whole");
    assert_eq!(cost("maker.bought", TOKENS, Some(1_001), &[]), Ok(usd("0.000004")));
    assert_eq!(cost("maker.both", TOKENS, Some(1_000), &[]), Ok(usd("0.001002")));
}

#[test]
fn a_time_that_is_charged_and_not_known_has_no_amount() {
    assert_eq!(cost("maker.plain", TOKENS, None, &[]), Ok(usd("0.00045")), "no time is charged here");
    assert_eq!(cost("maker.call", TOKENS, None, &[]), Ok(usd("0.00145")));
    for name in ["maker.bought", "maker.both"] {
        assert_eq!(cost(name, TOKENS, None, &[]), Err(Finding::MissingPrice), "{name}");
        assert_eq!(cost(name, TokenUsage::default(), None, &[]), Err(Finding::MissingPrice), "{name}");
    }
}

#[test]
fn tokens_of_capacity_without_a_price_of_it_have_no_amount() {
    assert_eq!(cost("maker.given", TOKENS, Some(900), &[]), Err(Finding::MissingPrice));
    assert_eq!(cost("maker.unknown", TOKENS, Some(900), &[]), Err(Finding::MissingPrice));
}

#[test]
fn further_items_are_charged_and_what_every_call_has_is_counted_anew() {
    let searched = [(Item::WebSearchMedium, 2)];
    assert_eq!(cost("maker.plain", TOKENS, Some(900), &searched), Ok(usd("0.02045")));
    let recorded = [(Item::Request, 7), (Item::RequestSecond, 7_000)];
    assert_eq!(cost("maker.call", TOKENS, Some(900), &recorded), Ok(usd("0.00145")), "this book prices no time");
    assert_eq!(cost("maker.call", TOKENS, Some(900), &searched), Err(Finding::MissingPrice), "an item without a price");
    let book = PriceBook::parse("p", BOOK).unwrap();
    let facts = Facts::on_demand(Provider::Bedrock, model("maker.both"), NOV_2026);
    let usage = book.usage_of_call(&facts, TOKENS, Some(900), recorded.into()).unwrap();
    assert_eq!(usage.items, BTreeMap::from([(Item::Request, 1), (Item::RequestSecond, 1)]));
}
