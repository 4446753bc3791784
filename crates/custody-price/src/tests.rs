use custody_types::{ModelName, PicoUsd, Timestamp, TokenUsage};
use proptest::prelude::*;

use super::*;

mod balance;
mod bedrock_counts;
mod book_files;
mod calls;
mod litellm_import;
mod log_records;
mod quotes;

const EXAMPLE: &str = include_str!("../../../examples/workspace/prices/2026-11.toml");
const NOV_2026: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

fn example() -> PriceBook {
    PriceBook::parse("prices/2026-11.toml", EXAMPLE).expect("the example book is valid")
}

fn model(name: &str) -> ModelName {
    name.parse().unwrap()
}

fn sim_large(usage: &TokenUsage) -> Result<Priced, Finding> {
    example().price(Provider::Simulator, &model("sim-large"), NOV_2026, usage)
}

fn usd(text: &str) -> PicoUsd {
    text.parse().unwrap()
}

// PATH-14, LOG-14
#[test]
fn each_class_of_tokens_is_charged_at_its_own_price() {
    let usage = TokenUsage { input: 1000, cache_read: 300, cache_write_5m: 200, cache_write_1h: 100, output: 50, reasoning: 20 };
    let priced = sim_large(&usage).unwrap();
    assert_eq!(&*priced.entry_id, "simulator.sim-large.2023-01");
    assert_eq!(priced.input, usd("0.0012"));
    assert_eq!(priced.cache_read, usd("0.00009"));
    assert_eq!(priced.cache_write, usd("0.00135"));
    assert_eq!(priced.output, usd("0.00075"));
    assert_eq!(priced.total, usd("0.00339"));
}

#[test]
fn no_price_gives_a_finding_and_never_an_amount() {
    let book = example();
    let usage = TokenUsage { input: 10, output: 1, ..TokenUsage::default() };
    let price = |provider, name, at, usage: &TokenUsage| book.price(provider, &model(name), at, usage);
    assert_eq!(price(Provider::Simulator, "sim-huge", NOV_2026, &usage), Err(Finding::MissingPrice));
    assert_eq!(price(Provider::OpenAiCompatible, "sim-small", NOV_2026, &usage), Err(Finding::MissingPrice));
    assert_eq!(price(Provider::Simulator, "sim-small", Timestamp::from_micros(0), &usage), Err(Finding::MissingPrice));
    let cached = TokenUsage { cache_read: 1, ..usage };
    assert_eq!(price(Provider::OpenAiCompatible, "openai.gpt-oss-20b", NOV_2026, &cached), Err(Finding::MissingPrice));
    assert!(price(Provider::OpenAiCompatible, "openai.gpt-oss-20b", NOV_2026, &usage).is_ok());
}

#[test]
fn an_amount_that_one_event_cannot_hold_is_a_finding() {
    let usage = |input| TokenUsage { input, ..TokenUsage::default() };
    assert_eq!(sim_large(&usage(u64::MAX)), Err(Finding::AmountOutOfRange));
    assert_eq!(sim_large(&usage(4_000_000_000_000)), Err(Finding::AmountOutOfRange));
    let both = TokenUsage { input: 3_000_000_000_000, output: 600_000_000_000, ..TokenUsage::default() };
    assert_eq!(sim_large(&both), Err(Finding::AmountOutOfRange), "each part fits and the sum does not");
}

#[test]
fn a_findings_name_reads_back() {
    for finding in Finding::ALL {
        assert_eq!(finding.as_str().parse(), Ok(finding));
    }
    assert_eq!("lost".parse::<Finding>(), Err(UnknownFindingError));
}

#[test]
fn parts_larger_than_their_whole_are_a_finding() {
    let usage = TokenUsage { input: 10, cache_read: 6, cache_write_5m: 5, ..TokenUsage::default() };
    assert_eq!(sim_large(&usage), Err(Finding::UsageInconsistent));
}

#[test]
fn openai_counts_contain_the_cached_ones() {
    let raw = RawUsage {
        prompt_tokens: Some(100),
        completion_tokens: Some(40),
        total_tokens: Some(140),
        cached_tokens: Some(60),
        cache_write_tokens: Some(10),
        reasoning_tokens: Some(30),
        ..RawUsage::default()
    };
    for provider in [Provider::OpenAiCompatible, Provider::Simulator] {
        let Normalised { usage, version } = normalise(provider, &raw).unwrap();
        let expected = TokenUsage { input: 100, cache_read: 60, cache_write_5m: 10, cache_write_1h: 0, output: 40, reasoning: 30 };
        assert_eq!((usage, version), (expected, 1));
        assert_eq!(usage.uncached_input(), 30);
    }
}

#[test]
fn counts_that_are_missing_or_contradict_each_other_are_not_guessed() {
    let good = RawUsage { prompt_tokens: Some(10), completion_tokens: Some(5), ..RawUsage::default() };
    let finding = |raw: RawUsage| normalise(Provider::OpenAiCompatible, &raw).err();
    assert_eq!(finding(good), None);
    assert_eq!(finding(RawUsage { prompt_tokens: None, ..good }), Some(Finding::UsageUnknown));
    assert_eq!(finding(RawUsage { completion_tokens: None, ..good }), Some(Finding::UsageUnknown));
    for wrong in [
        RawUsage { total_tokens: Some(16), ..good },
        RawUsage { cached_tokens: Some(11), ..good },
        RawUsage { cached_tokens: Some(u64::MAX), cache_write_tokens: Some(u64::MAX), ..good },
        RawUsage { reasoning_tokens: Some(6), ..good },
        RawUsage { prompt_tokens: Some(u64::MAX), ..good },
        RawUsage { prompt_tokens: Some(i64::MAX as u64), ..good },
    ] {
        assert_eq!(finding(wrong), Some(Finding::UsageInconsistent), "{wrong:?}");
    }
}

fn usages() -> impl Strategy<Value = TokenUsage> {
    let count = 0_u64..2_000_000;
    (count.clone(), count.clone(), count.clone(), count.clone(), count).prop_map(|(plain, read, short, long, output)| TokenUsage {
        input: plain + read + short + long,
        cache_read: read,
        cache_write_5m: short,
        cache_write_1h: long,
        output,
        reasoning: output / 2,
    })
}

fn plus(a: &TokenUsage, b: &TokenUsage) -> TokenUsage {
    TokenUsage {
        input: a.input + b.input,
        cache_read: a.cache_read + b.cache_read,
        cache_write_5m: a.cache_write_5m + b.cache_write_5m,
        cache_write_1h: a.cache_write_1h + b.cache_write_1h,
        output: a.output + b.output,
        reasoning: a.reasoning + b.reasoning,
    }
}

proptest! {
    #[test]
    fn parts_sum_to_the_whole(usage in usages()) {
        let priced = sim_large(&usage).unwrap();
        let parts = priced.input.pico() + priced.cache_read.pico() + priced.cache_write.pico() + priced.output.pico();
        prop_assert_eq!(parts, priced.total.pico());
    }

    /// Nothing is rounded: pricing together and apart is the same, in either order.
    #[test]
    fn the_price_of_a_sum_is_the_sum_of_prices(a in usages(), b in usages()) {
        let (one, other) = (sim_large(&a).unwrap().total, sim_large(&b).unwrap().total);
        prop_assert_eq!(sim_large(&plus(&a, &b)).unwrap().total, one.checked_add(other).unwrap());
        prop_assert_eq!(sim_large(&plus(&b, &a)), sim_large(&plus(&a, &b)));
    }

    /// A million tokens cost exactly what the file says, whatever decimal stands there.
    #[test]
    fn a_million_tokens_cost_what_the_book_says(whole in 0_u64..1000, micros in 0_u64..1_000_000) {
        let text = format!("{whole}.{micros:06}");
        let book = PriceBook::parse("p", &book_files::with_price(&text)).unwrap();
        let usage = TokenUsage { input: 1_000_000, ..TokenUsage::default() };
        prop_assert_eq!(book.price(Provider::Simulator, &model("m"), NOV_2026, &usage).unwrap().total, usd(&text));
    }
}
