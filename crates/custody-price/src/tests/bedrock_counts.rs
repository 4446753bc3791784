//! The rules by which Bedrock's counts are read.

use super::*;

fn stated(input: u64, output: u64, total: Option<u64>, read: u64, written: u64) -> RawUsage {
    RawUsage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        total_tokens: total,
        cache_read_input_tokens: Some(read),
        cache_write_input_tokens: Some(written),
        ..RawUsage::default()
    }
}

fn read(operation: Operation, family: ModelFamily, raw: &RawUsage) -> Result<(u64, i32), Finding> {
    normalise_call(Provider::Bedrock, family, operation, raw).map(|normal| (normal.usage.input, normal.version))
}

#[test]
fn converse_leaves_out_of_the_input_what_caches_touched() {
    let converse = |raw| read(Operation::Converse, ModelFamily::Other, &raw);
    assert_eq!(converse(stated(2, 19, Some(5014), 0, 4993)), Ok((4995, 2)));
    assert_eq!(converse(stated(2, 19, None, 0, 4993)), Ok((4995, 2)));
    assert_eq!(converse(stated(2, 19, Some(21), 0, 0)), Ok((2, 2)));
    assert_eq!(converse(stated(5000, 19, Some(5019), 0, 4993)), Err(Finding::UsageInconsistent), "two readings are plausible");
    assert_eq!(converse(stated(0, 0, Some(2000), 0, 0)), Err(Finding::UsageInconsistent));
    assert_eq!(converse(stated(u64::MAX, 1, None, 1, 0)), Err(Finding::UsageInconsistent));
    assert_eq!(converse(RawUsage { output_tokens: None, ..stated(1, 1, None, 0, 0) }), Err(Finding::UsageUnknown));
    let streamed = stated(2, 19, Some(5014), 0, 4993);
    assert_eq!(read(Operation::ConverseStream, ModelFamily::Other, &streamed), Ok((4995, 2)));
    assert_eq!(read(Operation::Converse, ModelFamily::OpenAi, &streamed), Ok((4995, 2)));
}

#[test]
fn a_stream_of_openais_models_is_read_by_arithmetic() {
    let stream = |raw| read(Operation::ConverseStream, ModelFamily::OpenAi, &raw);
    assert_eq!(stream(stated(4995, 19, Some(10_007), 0, 4993)), Ok((4995, 3)), "as measured: the total counts the cache twice");
    assert_eq!(stream(stated(4995, 19, Some(5014), 4993, 0)), Ok((4995, 3)), "the total contains everything");
    assert_eq!(stream(stated(2, 19, Some(5014), 4993, 0)), Ok((4995, 3)), "the input is too small to contain the cache");
    assert_eq!(stream(stated(7, 19, Some(26), 0, 0)), Ok((7, 3)));
    assert_eq!(stream(stated(7, 19, None, 0, 0)), Ok((7, 3)));
    assert_eq!(stream(stated(4995, 19, None, 0, 4993)), Err(Finding::UsageUnknown));
    assert_eq!(stream(stated(4995, 19, Some(5000), 0, 4993)), Err(Finding::UsageInconsistent));
    assert_eq!(stream(stated(2, 19, Some(21), 0, 4993)), Err(Finding::UsageInconsistent));
}

#[test]
fn cache_writes_are_told_apart_by_lifetime_and_must_add_up() {
    let details = |five_minutes, one_hour, other| Some(CacheWrites { five_minutes, one_hour, other });
    let normal = |cache_details| normalise(Provider::Bedrock, &RawUsage { cache_details, ..stated(5, 1, None, 0, 100) });
    let usage = normal(details(30, 70, 0)).unwrap().usage;
    assert_eq!((usage.input, usage.cache_write_5m, usage.cache_write_1h), (105, 30, 70));
    assert_eq!(normal(None).unwrap().usage.cache_write_5m, 100, "no lifetime is five minutes");
    assert_eq!(normal(details(30, 71, 0)), Err(Finding::UsageInconsistent));
    assert_eq!(normal(details(30, 60, 10)), Err(Finding::UsageUnknown), "a lifetime that no price is for");
}

#[test]
fn a_models_own_body_is_read_by_its_form() {
    let own = stated(2, 19, None, 4000, 993);
    assert_eq!(read(Operation::InvokeModel, ModelFamily::Other, &own), Ok((4995, 4)));
    let openai = RawUsage { prompt_tokens: Some(50), completion_tokens: Some(5), cached_tokens: Some(40), ..RawUsage::default() };
    assert_eq!(read(Operation::InvokeModel, ModelFamily::OpenAi, &openai), Ok((50, 1)));
    assert_eq!(read(Operation::Chat, ModelFamily::Other, &openai), Ok((50, 1)));
    assert_eq!(read(Operation::Converse, ModelFamily::Other, &openai), Err(Finding::UsageUnknown));
}

#[test]
fn the_family_is_in_the_name() {
    for openai in ["openai.gpt-oss-120b-1:0", "us.openai.gpt-5.6", "arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-oss-20b-1:0"] {
        assert_eq!(ModelFamily::of(openai), ModelFamily::OpenAi, "{openai}");
    }
    for other in ["anthropic.claude-3-haiku-20240307-v1:0", "notopenai.model", "openai/maker.model", ""] {
        assert_eq!(ModelFamily::of(other), ModelFamily::Other, "{other}");
    }
}

proptest! {
    /// Whatever is stated, a reading that is taken has parts within its wholes.
    #[test]
    fn what_is_read_is_consistent(input in 0_u64..5000, output in 0_u64..50, read in 0_u64..5000, written in 0_u64..5000, total in proptest::option::of(0_u64..16_000), openai in any::<bool>(), stream in any::<bool>()) {
        let family = if openai { ModelFamily::OpenAi } else { ModelFamily::Other };
        let operation = if stream { Operation::ConverseStream } else { Operation::Converse };
        if let Ok(normal) = normalise_call(Provider::Bedrock, family, operation, &stated(input, output, total, read, written)) {
            let usage = normal.usage;
            prop_assert!(usage.cache_read + usage.cache_write_5m + usage.cache_write_1h <= usage.input);
            prop_assert!(usage.input >= input && usage.output == output);
        }
    }
}
