//! Bedrock's own counts. With I = inputTokens, O = outputTokens, C = cache reads + cache writes, T = totalTokens:
//!
//! ```text
//! rule 2, as documented: I leaves out what the cache touched, T contains everything
//!   T = I + O + C, or no T              input = I + C
//!   any other T                         refused: with T = I + O and C > 0, I may contain C, and both readings are plausible
//!
//! rule 3, OpenAI's models through ConverseStream: I was measured to contain C, and T to count C twice
//!   C = 0, and T = I + O or no T        input = I
//!   C ≤ I, T = I + O                    input = I        T contains everything, so I contains C
//!   C ≤ I, T = I + O + C                input = I        as measured; the one case that arithmetic alone can't tell
//!   C > I, T = I + O + C                input = I + C    I is too small to contain C
//!   C > 0 without T                     unknown
//!   any other T                         refused
//! ```
//! The measurement is of September 2026, on openai.gpt-5.6: I 4,995, C 4,993 and T 10,007, where the unstreamed call had I 2. Should
//! Bedrock mend the stream, rule 3 would undercharge such a call by C input tokens; the raw counts stand in the event for that day.

use custody_types::TokenUsage;

use super::{CacheWrites, Normalised, OPENAI_RULE, RawUsage, checked, openai};
use crate::finding::Finding;

const CONVERSE_RULE: i32 = 2;
const OPENAI_STREAM_RULE: i32 = 3;
const INVOKE_RULE: i32 = 4;

/// The counts of Converse's form.
struct Counts {
    input: u64,
    output: u64,
    read: u64,
    writes: CacheWrites,
    cached: u64,
    total: Option<u64>,
}

pub(super) fn converse(raw: &RawUsage) -> Result<Normalised, Finding> {
    apart(raw).map(|usage| Normalised { usage, version: CONVERSE_RULE })
}

pub(super) fn openai_stream(raw: &RawUsage) -> Result<Normalised, Finding> {
    let counts = Counts::read(raw)?;
    let without_cache = add(counts.input, counts.output)?;
    let with_cache = add(without_cache, counts.cached)?;
    let is_inside = counts.cached <= counts.input;
    let input = match counts.total {
        None if counts.cached == 0 => counts.input,
        None => return Err(Finding::UsageUnknown),
        Some(total) if is_inside && (total == without_cache || total == with_cache) => counts.input,
        Some(total) if !is_inside && total == with_cache => add(counts.input, counts.cached)?,
        Some(_) => return Err(Finding::UsageInconsistent),
    };
    counts.with_input(input).map(|usage| Normalised { usage, version: OPENAI_STREAM_RULE })
}

/// The body is the model's own: OpenAI's form says so by its names, the others count as Converse does.
pub(super) fn invoke_model(raw: &RawUsage) -> Result<Normalised, Finding> {
    if raw.prompt_tokens.is_some() {
        return openai(raw).map(|usage| Normalised { usage, version: OPENAI_RULE });
    }
    apart(raw).map(|usage| Normalised { usage, version: INVOKE_RULE })
}

fn apart(raw: &RawUsage) -> Result<TokenUsage, Finding> {
    let counts = Counts::read(raw)?;
    let input = add(counts.input, counts.cached)?;
    let total = add(input, counts.output)?;
    if counts.total.unwrap_or(total) == total { counts.with_input(input) } else { Err(Finding::UsageInconsistent) }
}

impl Counts {
    fn read(raw: &RawUsage) -> Result<Self, Finding> {
        let input = raw.input_tokens.ok_or(Finding::UsageUnknown)?;
        let output = raw.output_tokens.ok_or(Finding::UsageUnknown)?;
        let read = raw.cache_read_input_tokens.unwrap_or(0);
        let writes = writes(raw)?;
        let cached = add(read, add(writes.five_minutes, writes.one_hour)?)?;
        Ok(Self { input, output, read, writes, cached, total: raw.total_tokens })
    }

    fn with_input(&self, input: u64) -> Result<TokenUsage, Finding> {
        checked(TokenUsage {
            input,
            cache_read: self.read,
            cache_write_5m: self.writes.five_minutes,
            cache_write_1h: self.writes.one_hour,
            output: self.output,
            reasoning: 0,
        })
    }
}

/// The details must add up to the sum beside them. Writes without details count as five minutes: Bedrock's default lifetime.
fn writes(raw: &RawUsage) -> Result<CacheWrites, Finding> {
    let stated = raw.cache_write_input_tokens;
    let Some(details) = raw.cache_details else {
        return Ok(CacheWrites { five_minutes: stated.unwrap_or(0), ..CacheWrites::default() });
    };
    let sum = add(add(details.five_minutes, details.one_hour)?, details.other)?;
    if stated.unwrap_or(sum) != sum {
        return Err(Finding::UsageInconsistent);
    }
    if details.other > 0 { Err(Finding::UsageUnknown) } else { Ok(details) }
}

fn add(one: u64, other: u64) -> Result<u64, Finding> {
    one.checked_add(other).ok_or(Finding::UsageInconsistent)
}
