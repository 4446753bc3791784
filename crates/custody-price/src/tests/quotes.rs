//! Which price holds, and that every factor is shown.

use std::collections::BTreeMap;

use custody_types::Text;

use super::*;

const BOOK: &str = r#"
version = "v1"
currency = "USD"

[[entries]]
id = "plain"
provider = "bedrock"
model = "maker.model"
effective_from = 2026-01-01
[entries.per_million_tokens]
input = "3"
cache_read = "0.3"
cache_write_5m = "3.75"
cache_write_1h = "6"
output = "15"
[entries.per_item]
web_search_medium = "0.01"
[[entries.tiers]]
service = "standard"
above_input_tokens = 200000
[entries.tiers.per_million_tokens]
input = "6"
cache_read = "0.6"
output = "22.5"
[[entries.tiers]]
service = "flex"
[entries.tiers.per_million_tokens]
input = "1.5"
output = "7.5"
[entries.premiums]
geographic = "1.1"
global = "0.9"

[[entries]]
id = "in-zurich"
provider = "bedrock"
model = "maker.model"
regions = ["eu-central-2", "eu-west-1"]
effective_from = 2026-01-01
per_million_tokens = { input = "4", output = "20" }

[[entries]]
id = "own-profile"
provider = "bedrock"
model = "us.maker.model"
effective_from = 2026-01-01
per_million_tokens = { input = "3.5", output = "16" }

[[entries]]
id = "committed"
provider = "bedrock"
model = "maker.model"
variant = "1-month-commitment"
effective_from = 2026-01-01
tokens = "included"
per_item = { request_second = "0.011" }
"#;

fn book() -> PriceBook {
    PriceBook::parse("p", BOOK).unwrap()
}

fn facts(name: &str) -> Facts {
    Facts::on_demand(Provider::Bedrock, model(name), NOV_2026)
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage::from(TokenUsage { input, output, ..TokenUsage::default() })
}

fn total(facts: &Facts, usage: &Usage) -> Result<PicoUsd, Finding> {
    book().quote(facts, usage).map(|quote| quote.total())
}

fn id(facts: &Facts) -> Result<Text, Finding> {
    book().quote(facts, &tokens(1, 1)).map(|quote| quote.entry_id().clone())
}

#[test]
fn the_entry_of_the_region_goes_before_the_one_for_any() {
    let in_region = |region: &str| Facts { region: Some(region.into()), ..facts("maker.model") };
    assert_eq!(id(&in_region("eu-west-1")).as_deref(), Ok("in-zurich"));
    assert_eq!(id(&in_region("us-east-1")).as_deref(), Ok("plain"));
    assert_eq!(id(&facts("maker.model")).as_deref(), Ok("plain"));
}

#[test]
fn a_profile_has_its_own_price_or_the_models_with_a_factor() {
    assert_eq!(total(&facts("us.maker.model"), &tokens(10, 0)), Ok(usd("0.000035")));
    assert_eq!(total(&facts("eu.maker.model"), &tokens(10, 0)), Ok(usd("0.000033")));
    assert_eq!(total(&facts("global.maker.model"), &tokens(10, 0)), Ok(usd("0.000027")));
    let elsewhere = Facts { region: Some("eu-west-1".into()), ..facts("eu.maker.model") };
    assert_eq!(total(&elsewhere, &tokens(10, 0)), Err(Finding::MissingPrice), "that Region's entry has no factor for a profile");
    assert_eq!(total(&facts("maker.maker.model"), &tokens(10, 0)), Err(Finding::MissingPrice));
    let openai = Facts { provider: Provider::OpenAiCompatible, ..facts("eu.maker.model") };
    assert_eq!(total(&openai, &tokens(10, 0)), Err(Finding::MissingPrice), "only Bedrock names profiles so");
}

#[test]
fn a_long_input_makes_the_whole_request_cost_more() {
    let usage = |input| {
        let tokens = TokenUsage { input, cache_read: 1000, output: 10, ..TokenUsage::default() };
        Usage { items: BTreeMap::from([(Item::WebSearchMedium, 1)]), ..Usage::from(tokens) }
    };
    assert_eq!(total(&facts("maker.model"), &usage(200_000)), Ok(usd("0.60745")), "at the border it is not beyond it");
    assert_eq!(total(&facts("maker.model"), &usage(200_001)), Ok(usd("1.204831")), "searches cost the same");
    let written = Usage::from(TokenUsage { input: 300_000, cache_write_5m: 1, ..TokenUsage::default() });
    assert_eq!(total(&facts("maker.model"), &written), Err(Finding::MissingPrice), "the longer tier has no price for writes");
}

#[test]
fn a_tier_of_service_costs_what_it_says_or_is_not_priced() {
    let at = |service| Facts { service, ..facts("maker.model") };
    assert_eq!(total(&at(ServiceTier::Flex), &tokens(10, 10)), Ok(usd("0.00009")));
    assert_eq!(total(&at(ServiceTier::Priority), &tokens(10, 10)), Err(Finding::MissingPrice));
    assert_eq!(total(&at(ServiceTier::Priority), &tokens(0, 0)), Err(Finding::MissingPrice));
    let searched = Usage { items: BTreeMap::from([(Item::WebSearchMedium, 1)]), ..Usage::default() };
    assert_eq!(total(&at(ServiceTier::Flex), &searched), Err(Finding::MissingPrice));
}

#[test]
fn capacity_is_paid_by_the_second_and_its_tokens_are_not() {
    let facts = Facts { variant: Some("1-month-commitment".into()), ..facts("maker.model") };
    let usage = Usage { items: BTreeMap::from([(Item::RequestSecond, 1500)]), ..tokens(5000, 100) };
    let quote = book().quote(&facts, &usage).unwrap();
    assert_eq!(quote.total(), usd("0.0165"));
    assert_eq!(quote.priced().items, usd("0.0165"));
    assert!(quote.reasons().contains(&Reason::TokensIncluded));
}

#[test]
fn tokens_of_sound_and_pictures_are_charged_apart_and_once() {
    let text = BOOK.replace("per_million_tokens = { input = \"3.5\", output = \"16\" }", "per_million_tokens = { input = \"1\", input_audio = \"10\", input_image = \"2\", cache_read = \"0.1\", output = \"4\", output_audio = \"40\" }");
    let book = PriceBook::parse("p", &text).unwrap();
    let counted = TokenUsage { input: 100, cache_read: 10, output: 50, reasoning: 5, ..TokenUsage::default() };
    let usage = Usage { input_audio: 20, input_image: 30, output_audio: 10, ..Usage::from(counted) };
    let quote = book.quote(&facts("us.maker.model"), &usage).unwrap();
    let lines: Vec<(String, u64, i64)> =
        quote.lines().iter().map(|line| (line.class.to_string(), line.quantity, line.amount.pico())).collect();
    let expected = [
        ("input", 40, 40),
        ("input_audio", 20, 200),
        ("input_image", 30, 60),
        ("cache_read", 10, 1),
        ("output", 40, 160),
        ("output_audio", 10, 400),
    ];
    assert_eq!(lines, expected.map(|(class, count, micros)| (class.to_owned(), count, micros * 1_000_000)));
    for wrong in
        [Usage { input_audio: 91, ..usage.clone() }, Usage { output_audio: 51, ..usage.clone() }, Usage { input_image: u64::MAX, ..usage }]
    {
        assert_eq!(book.quote(&facts("us.maker.model"), &wrong), Err(Finding::UsageInconsistent));
    }
}

/// Behind an application profile or a router only the model and the Regions are known: the price is that of the same profile by its id.
#[test]
fn a_known_geography_is_priced_like_the_profile_whose_id_says_it() {
    let book = book();
    let known = |model: &str, geography: &str| Facts { geography: Some(geography.into()), ..facts(model) };
    for geography in ["us", "eu", "apac", "global"] {
        let by_id = book.quote(&facts(&format!("{geography}.maker.model")), &tokens(1_000, 4)).unwrap();
        let by_fact = book.quote(&known("maker.model", geography), &tokens(1_000, 4)).unwrap();
        assert_eq!((by_fact.total(), by_fact.entry_id()), (by_id.total(), by_id.entry_id()), "{geography}");
    }
    let quote = book.quote(&known("maker.model", "us"), &tokens(1_000, 4)).unwrap();
    let reasons: Vec<String> = quote.reasons().iter().map(ToString::to_string).collect();
    assert!(reasons.contains(&"the geography is known; us.maker.model has an entry for it".to_owned()), "{reasons:?}");
    // A name that says its geography is not given a second one.
    let twice = book.quote(&known("eu.maker.model", "us"), &tokens(1_000, 4)).unwrap();
    assert_eq!(twice.entry_id().as_ref(), "plain");
}

#[test]
fn every_factor_is_shown_in_words() {
    let quote = book().quote(&facts("eu.maker.model"), &tokens(250_000, 4)).unwrap();
    let reasons: Vec<String> = quote.reasons().iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "the entry is for any Region; the request's is not known",
            "the profile has no entry; maker.model behind it has a factor for it",
            "250000 input tokens are more than 200000: all cost the longer tier's price",
            "every price times 1.1 for geographic",
        ]
    );
    let answer = answer_json(&Ok(quote));
    assert!(answer.starts_with(r#"{"total_usd":"1.650099000000","total_pico":1650099000000,"entry":"plain","#), "{answer}");
    assert!(
        answer
            .contains(r#"{"class":"output","quantity":4,"unit":"token","unit_price_pico":22500000,"times":"1.1","amount_pico":99000000}"#),
        "{answer}"
    );
    assert_eq!(answer_json(&Err(Finding::MissingPrice)), r#"{"finding":"missing_price"}"#);
}

#[test]
fn a_question_says_what_is_wrong_with_it() {
    let good =
        r#"{"provider": "bedrock", "model": "maker.model", "at": "2026-11-21T00:00:00Z", "usage": {"input": 7, "items": {"page": 1}}}"#;
    let question = Question::parse(good).unwrap();
    assert_eq!((question.usage.tokens.input, question.usage.items.get(&Item::Page)), (7, Some(&1)));
    for (from, to) in [
        ("bedrock", "bedrok"),
        ("maker.model", "a b"),
        ("00Z", "00"),
        ("page", "pages"),
        ("\"input\"", "\"inputs\""),
        ("7", "-7"),
        ("}}}", "}}"),
    ] {
        assert!(Question::parse(&good.replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn mistakes_in_the_wider_form_name_their_place() {
    let text = r#"
        version = "v"
        currency = "USD"
        [[entries]]
        id = "e"
        provider = "bedrock"
        model = "m"
        variant = "a b"
        regions = []
        effective_from = 2026-01-01
        tokens = "free"
        per_item = { output_image = "0.0000000000001", request_second = "0.0000000001", paper = "1" }
        premiums = { us = 1.1, geographic = "0", global = "0.0000001" }
        [[entries.tiers]]
        service = "slow"
        above_input_tokens = -1
        per_million_tokens = { input = "1e3" }
        [[entries.tiers]]
        service = "standard"
        per_million_tokens = { input = "1" }
        [[entries.tiers]]
        service = "flex"
    "#;
    let found: Vec<String> = PriceBook::parse("p", text).unwrap_err().mistakes().iter().map(|mistake| mistake.key.clone()).collect();
    let expected = [
        "variant",
        "regions",
        "tokens",
        "per_item.paper",
        "per_item.output_image",
        "per_item.request_second",
        "tiers[0].service",
        "tiers[0].above_input_tokens",
        "tiers[0].per_million_tokens.input",
        "tiers[1].above_input_tokens",
        "tiers[2]",
        "premiums.geographic",
        "premiums.global",
        "premiums.us",
    ];
    let mut found: Vec<&str> = found.iter().map(|key| key.strip_prefix("entries[0].").unwrap()).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_factor_that_would_have_to_be_rounded_is_refused() {
    let text = BOOK.replace("geographic = \"1.1\"", "geographic = \"1.0001\"");
    assert!(PriceBook::parse("p", &text).is_ok());
    let text = text.replace("input = \"6\"", "input = \"6.000001\"");
    let mistakes = PriceBook::parse("p", &text).unwrap_err();
    assert_eq!(mistakes.mistakes().first().map(|mistake| mistake.key.as_str()), Some("entries[0].premiums.geographic"));
}

#[test]
fn entries_of_other_regions_and_variants_do_not_overlap() {
    assert!(PriceBook::parse("p", &BOOK.replace("variant = \"1-month-commitment\"", "")).is_err());
    assert!(
        PriceBook::parse("p", &BOOK.replace("model = \"us.maker.model\"", "model = \"maker.model\"\nregions = [\"us-east-1\"]")).is_ok()
    );
    assert!(
        PriceBook::parse("p", &BOOK.replace("model = \"us.maker.model\"", "model = \"maker.model\"\nregions = [\"eu-west-1\"]")).is_err()
    );
}

#[test]
fn books_are_compared_price_by_price() {
    assert!(BookDifference::between(&book(), &book()).is_empty());
    let text =
        BOOK.replace("id = \"own-profile\"", "id = \"new\"").replace("input = \"6\"", "input = \"7\"").replace("global = \"0.9\"\n", "");
    let difference = BookDifference::between(&book(), &PriceBook::parse("p", &text).unwrap());
    assert_eq!((difference.added, difference.removed, difference.same), (vec!["new".into()], vec!["own-profile".into()], 2));
    let (id, changes) = difference.changed.first().unwrap();
    let change =
        |field: &str, old: &str, new: Option<&str>| FieldChange { field: field.into(), old: Some(old.into()), new: new.map(Into::into) };
    assert_eq!(&**id, "plain");
    assert_eq!(
        *changes,
        [change("premiums.global", "0.9", None), change("standard above 200000.per_million_tokens.input", "6", Some("7"))]
    );
}

/// LOG-39: reads cost 0.3 instead of 3 dollars a million, or 0.6 instead of 6 above the border, where plain input counts as well.
#[test]
fn cache_savings_are_of_the_same_prices_with_and_without_reads() {
    let book = PriceBook::parse("p", BOOK).unwrap();
    let of = |name: &str, region: Option<&str>, input, cache_read| {
        let facts = Facts { region: region.map(Text::from), ..Facts::on_demand(Provider::Bedrock, model(name), NOV_2026) };
        book.cache_savings(&facts, &Usage::from(TokenUsage { input, cache_read, output: 7, ..TokenUsage::default() }))
    };
    assert_eq!(of("maker.model", None, 1000, 1000), Ok(usd("0.0027")));
    assert_eq!(of("maker.model", None, 200_001, 1000), Ok(usd("0.0054")));
    assert_eq!(of("global.maker.model", None, 1000, 1000), Ok(usd("0.00243")));
    assert_eq!(of("maker.model", None, 1000, 0), Ok(PicoUsd::ZERO));
    assert_eq!(of("maker.model", Some("eu-central-2"), 1000, 1), Err(Finding::MissingPrice), "that entry has no price of reads");
}
