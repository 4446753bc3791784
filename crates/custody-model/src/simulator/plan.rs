//! What the simulator will do for one request, decided before it begins.

use std::time::Duration;

use custody_dialect::{ChatAnswer, ChatRequest, Delta, FinishReason, RawUsage, StreamEvent, ToolCall, ToolCallDelta};
use custody_types::{SensitiveText, Text};

use super::{
    Directive, DirectiveError, SIMULATED_MODEL,
    filler::{MAX_WORDS, words},
    schema,
};
use crate::ErrorKind;

/// Words of an answer to a request that asks for no number of tokens.
const DEFAULT_WORDS: u64 = 24;
const DEFAULT_CHUNK_WORDS: u64 = 8;

/// What the simulator will do for one request. The stub server of the test kit follows the same plan over HTTP.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How it will fail, if it is to.
    pub fault: Option<Fault>,
    /// How long it waits before it begins.
    pub delay: Duration,
    /// How long it waits before each piece of a stream.
    pub chunk_delay: Duration,
    /// Whether a stream ends with its end mark.
    pub ends_with_done: bool,
    body: Body,
    words: usize,
    chunk_words: usize,
    finish: FinishReason,
    usage: Option<RawUsage>,
}

/// How an answer is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused.
    Status {
        /// With this status.
        status: u16,
        /// And this advice.
        retry_after: Option<Duration>,
    },
    /// It breaks off after so many pieces.
    CutAfter(usize),
    /// It reports an error after so many pieces.
    ErrorAfter(usize),
    /// It can't be read.
    Garbage,
}

#[derive(Debug, Clone)]
enum Body {
    Words,
    Json(String),
    ToolCall,
    Empty,
}

impl Plan {
    /// The plan for a request.
    ///
    /// # Errors
    /// [`DirectiveError`] where its directive can't be followed.
    pub fn of(request: &ChatRequest) -> Result<Self, DirectiveError> {
        let directive = Directive::of(request)?;
        let body = body_of(request, &directive);
        let asked = directive.output_tokens.unwrap_or(DEFAULT_WORDS);
        let limit = request.options.max_output_tokens.map_or(u64::MAX, u64::from);
        let output = if matches!(body, Body::Empty) && directive.output_tokens.is_none() { 0 } else { asked.min(limit) };
        let finish = match (&body, directive.finish) {
            (_, Some(finish)) => finish,
            (Body::ToolCall, None) => FinishReason::ToolCalls,
            _ if asked > limit => FinishReason::Length,
            _ => FinishReason::Stop,
        };
        let small = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Self {
            fault: fault_of(&directive),
            delay: Duration::from_millis(directive.delay_ms),
            chunk_delay: Duration::from_millis(directive.chunk_delay_ms),
            ends_with_done: !directive.no_done,
            body,
            words: small(output).clamp(1, MAX_WORDS),
            chunk_words: small(directive.chunk_words.unwrap_or(DEFAULT_CHUNK_WORDS)).max(1),
            finish,
            usage: (!directive.no_usage).then(|| usage(request, &directive, output)),
        })
    }

    /// The whole answer.
    #[must_use]
    pub fn answer(&self) -> ChatAnswer {
        let tool_calls = if matches!(self.body, Body::ToolCall) { vec![tool_call()] } else { Vec::new() };
        ChatAnswer {
            upstream_id: Some(Text::from("simulated")),
            model_used: Some(Text::from(SIMULATED_MODEL)),
            text: self.text(0, self.words).map(SensitiveText::new),
            refusal: None,
            tool_calls,
            finish: Some(self.finish),
            usage: self.usage.clone(),
            ..ChatAnswer::default()
        }
    }

    /// The answer step by step, faults included: `Opened Delta* Delta(finish) Usage? Done`, or an error in their midst. Without
    /// its end mark a stream ends as if it had it, because its finish reason was seen.
    pub fn steps(self) -> impl Iterator<Item = Result<StreamEvent, ErrorKind>> + Send + 'static {
        let opened = StreamEvent::Opened { upstream_id: Some("simulated".into()), model_used: Some(SIMULATED_MODEL.into()) };
        let (allowed, ending) = match self.fault {
            Some(Fault::CutAfter(pieces)) => (pieces, Some(ErrorKind::Cut)),
            Some(Fault::ErrorAfter(pieces)) => (pieces, Some(ErrorKind::ErrorInStream)),
            Some(Fault::Garbage) => (0, Some(ErrorKind::Garbage)),
            Some(Fault::Status { .. }) | None => (usize::MAX, None),
        };
        let last = Delta { finish: Some(self.finish), ..Delta::default() };
        let usage = self.usage.clone().map(StreamEvent::Usage);
        let deltas = self.deltas().take(allowed).map(StreamEvent::Delta);
        let rest = [Some(StreamEvent::Delta(last)), usage, Some(StreamEvent::Done)].into_iter().flatten();
        let whole = rest.take(if ending.is_none() { usize::MAX } else { 0 });
        let events = std::iter::once(opened).chain(deltas).chain(whole).map(Ok);
        events.chain(ending.map(Err))
    }

    fn deltas(self) -> impl Iterator<Item = Delta> + Send + 'static {
        let chunks = match self.body {
            Body::Words => self.words.div_ceil(self.chunk_words),
            Body::Json(_) | Body::ToolCall => 1,
            Body::Empty => 0,
        };
        (0..chunks).map(move |chunk| {
            let from = chunk.saturating_mul(self.chunk_words);
            let to = from.saturating_add(self.chunk_words).min(self.words);
            let tool_calls = if matches!(self.body, Body::ToolCall) { vec![tool_call_delta()] } else { Vec::new() };
            Delta { text: self.text(from, to).map(SensitiveText::new), tool_calls, ..Delta::default() }
        })
    }

    fn text(&self, from: usize, to: usize) -> Option<String> {
        match &self.body {
            Body::Words => Some(words(from, to).to_owned()),
            Body::Json(json) => Some(json.clone()),
            Body::ToolCall => None,
            Body::Empty => Some(String::new()),
        }
    }
}

fn body_of(request: &ChatRequest, directive: &Directive) -> Body {
    let schema = request.options.response_format.as_ref().and_then(|format| schema::fill(format.expose()));
    match schema {
        _ if directive.empty => Body::Empty,
        _ if directive.tool_call => Body::ToolCall,
        Some(json) => Body::Json(json),
        None => Body::Words,
    }
}

fn fault_of(directive: &Directive) -> Option<Fault> {
    let pieces = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if let Some(status) = directive.status {
        return Some(Fault::Status { status, retry_after: directive.retry_after_s.map(Duration::from_secs) });
    }
    if directive.garbage {
        return Some(Fault::Garbage);
    }
    let cut = directive.cut_after.map(|count| Fault::CutAfter(pieces(count)));
    cut.or(directive.error_after.map(|count| Fault::ErrorAfter(pieces(count))))
}

/// Usage as a provider would send it: counts in the OpenAI form, one token a word where nothing is told.
fn usage(request: &ChatRequest, directive: &Directive, output: u64) -> RawUsage {
    let input = directive.input_tokens.unwrap_or_else(|| count_words(request));
    let total = input.saturating_add(output);
    let mut prompt = Vec::new();
    prompt.extend(directive.cache_write_tokens.map(|count| format!("\"cache_write_tokens\":{count}")));
    prompt.extend(directive.cache_read_tokens.map(|count| format!("\"cached_tokens\":{count}")));
    let mut parts = vec![format!("\"completion_tokens\":{output}")];
    parts.extend(directive.reasoning_tokens.map(|count| format!("\"completion_tokens_details\":{{\"reasoning_tokens\":{count}}}")));
    parts.push(format!("\"prompt_tokens\":{input}"));
    if !prompt.is_empty() {
        parts.push(format!("\"prompt_tokens_details\":{{{}}}", prompt.join(",")));
    }
    parts.push(format!("\"total_tokens\":{total}"));
    RawUsage {
        prompt_tokens: Some(input),
        completion_tokens: Some(output),
        total_tokens: Some(total),
        cached_tokens: directive.cache_read_tokens,
        cache_write_tokens: directive.cache_write_tokens,
        reasoning_tokens: directive.reasoning_tokens,
        converse: None,
        json: format!("{{{}}}", parts.join(",")).into(),
    }
}

fn count_words(request: &ChatRequest) -> u64 {
    let mut count = 0;
    for message in &request.messages {
        message.visit_payload(|text| count += text.split_ascii_whitespace().count());
    }
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn tool_call() -> ToolCall {
    let text = SensitiveText::new;
    ToolCall { id: text("call_simulated"), name: text("simulated"), arguments: text("{\"simulated\":true}") }
}

fn tool_call_delta() -> ToolCallDelta {
    let call = tool_call();
    ToolCallDelta { index: 0, id: Some(call.id), name: Some(call.name), arguments: Some(call.arguments) }
}
