//! How a request steers the simulator.
//!
//! ```text
//! simulate: input_tokens=4808 output_tokens=10 delay_ms=20 status=503 …        then a line break or any other word
//!
//! input_tokens output_tokens        counts in the usage; output_tokens is also the number of words, up to 2,000
//! cache_read_tokens cache_write_tokens reasoning_tokens                        further counts in the usage
//! delay_ms                          wait before the answer begins           chunk_delay_ms   wait before each piece
//! chunk_words                       words in a piece of a stream, 8 unless told
//! status retry_after_s              refuse with that status                 no_usage=1       leave the usage out
//! cut_after=N error_after=N         break off, or report an error, after N pieces; a plain answer breaks off at once
//! garbage=1                         answer what can't be read               empty=1          answer with no text
//! no_done=1                         end a stream without its end mark       tool_call=1      call a tool
//! finish=length|content_filter      stop for that reason
//! defect=1                          panic, quoting the request; a build without debug assertions does not know the word
//! ```

use custody_dialect::{ChatRequest, Content, FinishReason, Part, Role};
use custody_types::{Fault, FaultOwner, Retry};

const MARK: &str = "simulate:";

/// What a request tells the simulator; every field absent or zero where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the module's table says what each word does")]
pub struct Directive {
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cache_read_tokens: Option<u64>,
    pub cache_write_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    pub delay_ms: u64,
    pub chunk_delay_ms: u64,
    pub chunk_words: Option<u64>,
    pub status: Option<u16>,
    pub retry_after_s: Option<u64>,
    pub cut_after: Option<u64>,
    pub error_after: Option<u64>,
    pub no_usage: bool,
    pub garbage: bool,
    pub empty: bool,
    pub no_done: bool,
    pub tool_call: bool,
    pub defect: bool,
    pub finish: Option<FinishReason>,
}

/// A directive has a word that does not exist, or a value that does not fit. A test with a slip in it must not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulator's directive has an unknown word or a value that does not fit")]
pub struct DirectiveError;

impl Directive {
    /// Reads the directive of a request; the default where it has none.
    ///
    /// # Errors
    /// [`DirectiveError`] where it has one that can't be followed.
    pub fn of(request: &ChatRequest) -> Result<Self, DirectiveError> {
        Self::parse(last_words(request))
    }

    /// Reads the directive at the start of a text.
    ///
    /// # Errors
    /// [`DirectiveError`] where it can't be followed.
    pub fn parse(text: &str) -> Result<Self, DirectiveError> {
        let mut directive = Self::default();
        let Some(rest) = text.trim_start().strip_prefix(MARK) else { return Ok(directive) };
        let words = rest.lines().next().unwrap_or_default().split_ascii_whitespace();
        for pair in words.map_while(|word| word.split_once('=')) {
            directive.set(pair.0, pair.1)?;
        }
        Ok(directive)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), DirectiveError> {
        match name {
            "input_tokens" => self.input_tokens = Some(number(value)?),
            "output_tokens" => self.output_tokens = Some(number(value)?),
            "cache_read_tokens" => self.cache_read_tokens = Some(number(value)?),
            "cache_write_tokens" => self.cache_write_tokens = Some(number(value)?),
            "reasoning_tokens" => self.reasoning_tokens = Some(number(value)?),
            "delay_ms" => self.delay_ms = number(value)?,
            "chunk_delay_ms" => self.chunk_delay_ms = number(value)?,
            "chunk_words" => self.chunk_words = Some(number(value)?),
            "status" => self.status = Some(status(value)?),
            "retry_after_s" => self.retry_after_s = Some(number(value)?),
            "cut_after" => self.cut_after = Some(number(value)?),
            "error_after" => self.error_after = Some(number(value)?),
            "no_usage" => self.no_usage = flag(value)?,
            "garbage" => self.garbage = flag(value)?,
            "empty" => self.empty = flag(value)?,
            "no_done" => self.no_done = flag(value)?,
            "tool_call" => self.tool_call = flag(value)?,
            "defect" if cfg!(debug_assertions) => self.defect = flag(value)?,
            "finish" => self.finish = Some(finish(value)?),
            _ => return Err(DirectiveError),
        }
        Ok(())
    }
}

impl Fault for DirectiveError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Caller
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "unknown_directive"
    }
}

/// What the caller said last.
pub(super) fn last_words(request: &ChatRequest) -> &str {
    let last = request.messages.iter().rev().find(|message| message.role == Role::User);
    match last.map(|message| &message.content) {
        Some(Content::Text(text)) => text.expose(),
        Some(Content::Parts(parts)) => parts.iter().find_map(text_of).unwrap_or_default(),
        Some(Content::None) | None => "",
    }
}

fn text_of(part: &Part) -> Option<&str> {
    if let Part::Text(text) = part { Some(text.expose()) } else { None }
}

fn number(value: &str) -> Result<u64, DirectiveError> {
    value.parse().map_err(|_| DirectiveError)
}

fn status(value: &str) -> Result<u16, DirectiveError> {
    value.parse().ok().filter(|status| (400..=599).contains(status)).ok_or(DirectiveError)
}

fn flag(value: &str) -> Result<bool, DirectiveError> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(DirectiveError),
    }
}

fn finish(value: &str) -> Result<FinishReason, DirectiveError> {
    match FinishReason::from_wire(value) {
        FinishReason::Other => Err(DirectiveError),
        known => Ok(known),
    }
}
