//! What a LiteLLM key is about.
//!
//! ```text
//! anthropic.claude-3-haiku-20240307-v1:0                     the model, in any Region
//! us.anthropic.claude-sonnet-4-6                             a profile's id stays the model's name
//! bedrock/eu-west-1/meta.llama3-8b-instruct-v1:0             the model in one Region
//! bedrock/us-east-1/1-month-commitment/anthropic.claude-v1   the model in one Region, variant 1-month-commitment
//! bedrock/*/6-month-commitment/cohere.command-text-v14       the model in any Region, variant 6-month-commitment
//! bedrock_mantle/openai.gpt-oss-120b                         variant bedrock_mantle: another endpoint
//! 1024-x-1024/50-steps/amazon.some-model                     variant 1024-x-1024/50-steps
//! ```

/// The parts of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject<'k> {
    pub(super) model: &'k str,
    pub(super) region: Option<&'k str>,
    pub(super) variant: Option<String>,
}

impl<'k> Subject<'k> {
    pub(super) fn of(key: &'k str) -> Self {
        let (before, model) = key.rsplit_once('/').unwrap_or(("", key));
        let parts = || before.split('/').filter(|part| !matches!(*part, "" | "bedrock" | "*"));
        let others: Vec<&str> = parts().filter(|part| !is_region(part)).collect();
        let variant = (!others.is_empty()).then(|| others.join("/"));
        Self { model, region: parts().find(|part| is_region(part)), variant }
    }
}

/// Such as `us-gov-west-1`.
fn is_region(part: &str) -> bool {
    let begins_with_letter = part.starts_with(|first: char| first.is_ascii_lowercase());
    let number = part.rsplit('-').next().unwrap_or_default();
    begins_with_letter && part.split('-').count() >= 3 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
