//! A question for a price as one line of JSON, and its answer as another, for `custody price quote` and for programs beside it.
//!
//! ```json
//! {"provider": "bedrock", "model": "us.some.model", "at": "2026-11-21T00:00:00Z",
//!  "region": "us-east-1", "geography": null, "variant": null, "service": "standard",
//!  "usage": {"input": 1200, "cache_read": 1000, "cache_write_5m": 0, "cache_write_1h": 0, "output": 300, "reasoning": 100,
//!            "input_audio": 0, "input_image": 0, "output_audio": 0, "items": {"web_search_medium": 2}}}
//! ```
//! Everything but provider, model, at and usage may be left out, and every count. Input contains what caches touched. Times are
//! in milliseconds.

use std::collections::BTreeMap;

use chrono::DateTime;
use custody_types::{Text, Timestamp, TokenUsage};
use serde::{Deserialize, Serialize};

use crate::{
    class::{Item, ServiceTier},
    facts::Facts,
    finding::Finding,
    quote::{CostLine, Quote},
    usage::Usage,
};

/// What is to be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What chooses the prices.
    pub facts: Facts,
    /// What was used.
    pub usage: Usage,
}

/// The line is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a question for a price: {0}")]
pub struct QuestionError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    provider: String,
    model: String,
    at: String,
    region: Option<Text>,
    geography: Option<Text>,
    variant: Option<Text>,
    service: Option<String>,
    usage: WrittenUsage,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenUsage {
    input: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    output: u64,
    reasoning: u64,
    input_audio: u64,
    input_image: u64,
    output_audio: u64,
    items: BTreeMap<String, u64>,
}

impl Question {
    /// Reads a line.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, QuestionError> {
        let written: Written = serde_json::from_str(json).map_err(QuestionError::of)?;
        let at =
            DateTime::parse_from_rfc3339(&written.at).map_err(|_| QuestionError("`at` is not a date-time with an offset".to_owned()))?;
        let facts = Facts {
            provider: written.provider.parse().map_err(QuestionError::of)?,
            model: written.model.parse().map_err(QuestionError::of)?,
            at: Timestamp::from_micros(at.timestamp_micros()),
            region: written.region,
            geography: written.geography,
            variant: written.variant,
            service: written.service.map_or(Ok(ServiceTier::Standard), |tier| tier.parse()).map_err(QuestionError::of)?,
        };
        Ok(Self { facts, usage: written.usage.meant()? })
    }
}

impl WrittenUsage {
    fn meant(self) -> Result<Usage, QuestionError> {
        let item = |(name, count): (String, u64)| name.parse::<Item>().map(|item| (item, count)).map_err(QuestionError::of);
        Ok(Usage {
            tokens: TokenUsage {
                input: self.input,
                cache_read: self.cache_read,
                cache_write_5m: self.cache_write_5m,
                cache_write_1h: self.cache_write_1h,
                output: self.output,
                reasoning: self.reasoning,
            },
            input_audio: self.input_audio,
            input_image: self.input_image,
            output_audio: self.output_audio,
            items: self.items.into_iter().map(item).collect::<Result<_, _>>()?,
        })
    }
}

impl QuestionError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'q> {
    Priced { total_usd: String, total_pico: i64, entry: &'q str, because: Vec<String>, lines: Vec<AnswerLine> },
    Finding { finding: &'static str },
}

#[derive(Serialize)]
struct AnswerLine {
    class: String,
    quantity: u64,
    unit: &'static str,
    unit_price_pico: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<String>,
    amount_pico: i64,
}

/// The answer as one line of JSON.
#[must_use]
pub fn answer_json(answer: &Result<Quote, Finding>) -> String {
    let answer = match answer {
        Err(finding) => Answer::Finding { finding: finding.as_str() },
        Ok(quote) => Answer::Priced {
            total_usd: quote.total.to_string(),
            total_pico: quote.total.pico(),
            entry: &quote.entry_id,
            because: quote.reasons.iter().map(ToString::to_string).collect(),
            lines: quote.lines.iter().map(answer_line).collect(),
        },
    };
    // Numbers and texts only: it cannot fail, and an empty line is no answer anybody takes for one.
    serde_json::to_string(&answer).unwrap_or_default()
}

fn answer_line(line: &CostLine) -> AnswerLine {
    AnswerLine {
        class: line.class.to_string(),
        quantity: line.quantity,
        unit: line.class.unit(),
        unit_price_pico: line.unit_price.pico(),
        times: line.premium.map(|factor| factor.to_string()),
        amount_pico: line.amount.pico(),
    }
}
