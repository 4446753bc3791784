//! The two forms of request, each with the bytes that ask for an answer and the words that are read from one.

use anyhow::{Context, Result};
use bytes::Bytes;
use custody_dialect::{
    ChatAnswer, StreamEvent,
    converse::{self, parse_answer},
    openai::{self, StreamLimits, parse_chat_answer},
};

use super::{
    mode::Mode,
    wire::{find, tail},
};

/// About a hundred bytes.
const QUESTION: &str = "How do I reset the password of my account when I no longer have the telephone that it was set up with?";
/// The end of a stream lies within so many of its last bytes.
const END_BYTES: usize = 600;

/// Whose form a request and its answer have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `POST /v1/chat/completions`, events of a line each.
    OpenAi,
    /// `POST /model/{id}/converse` and `/converse-stream`, AWS event-stream frames.
    Converse,
}

impl Form {
    /// A chat of about two hundred bytes.
    pub fn request(self, mode: Mode, capability: &str, key: &str) -> Bytes {
        let question = format!("{QUESTION}{}", mode.pace_mark());
        let (path, body) = match self {
            Self::OpenAi => ("/v1/chat/completions".to_owned(), openai_body(mode, capability, &question)),
            Self::Converse => {
                let operation = if mode.is_stream() { "converse-stream" } else { "converse" };
                (format!("/model/{capability}/{operation}"), converse_body(&question))
            }
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Bytes::from(head + &body)
    }

    /// Whether a streamed answer came to its end: the end mark, or the facts that Converse tells last.
    pub fn has_ended(self, body: &[u8]) -> bool {
        let mark: &[u8] = match self {
            Self::OpenAi => b"data: [DONE]",
            Self::Converse => br#""outputTokens":"#,
        };
        find(tail(body, END_BYTES), mark).is_some()
    }

    /// The text of an answer, read as a client reads it.
    pub fn text(self, mode: Mode, body: &[u8]) -> Result<String> {
        if mode.is_stream() {
            return Ok(streamed_text(&self.events(body)?));
        }
        let answer = match self {
            Self::OpenAi => parse_chat_answer(body),
            Self::Converse => parse_answer(body),
        };
        let ChatAnswer { text, .. } = answer?;
        Ok(text.context("an answer without text")?.expose().to_owned())
    }

    fn events(self, body: &[u8]) -> Result<Vec<StreamEvent>> {
        let mut events = Vec::new();
        match self {
            Self::OpenAi => {
                let mut decoder = openai::StreamDecoder::new(StreamLimits::default());
                decoder.feed(body, &mut events)?;
                decoder.end()?;
            }
            Self::Converse => {
                let mut decoder = converse::StreamDecoder::new(StreamLimits::default());
                decoder.feed(body, &mut events)?;
                decoder.end()?;
            }
        }
        Ok(events)
    }
}

fn streamed_text(events: &[StreamEvent]) -> String {
    let deltas = events.iter().filter_map(|event| if let StreamEvent::Delta(delta) = event { delta.text.as_ref() } else { None });
    deltas.map(|text| text.expose()).collect()
}

fn openai_body(mode: Mode, capability: &str, question: &str) -> String {
    let stream = if mode.is_stream() { r#","stream":true,"stream_options":{"include_usage":true}"# } else { "" };
    format!(r#"{{"model":"{capability}","messages":[{{"role":"user","content":"{question}"}}],"max_tokens":200{stream}}}"#)
}

fn converse_body(question: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"{question}"}}]}}],"inferenceConfig":{{"maxTokens":200}}}}"#)
}
