//! The model that every contender calls: canned answers of fifty words over plain sockets, so cheap that it does not hide
//! what is measured. It speaks both forms: a path below `/model/` is answered as Bedrock answers, any other as OpenAI does.
//!
//! A request whose body has `"stream":true`, or whose path ends in `/converse-stream`, gets one event a word, each written on its
//! own as a model's tokens are; one whose body has `pace_us=N` gets them N microseconds apart.

mod converse;
mod openai;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::wire::{find, message_length};

pub const WORDS: usize = 50;
pub const WORD: &str = "answer";

/// The text of every answer; a streamed one has a space behind it.
pub fn text() -> String {
    vec![WORD; WORDS].join(" ")
}

/// What is sent in one form, byte by byte. Every form takes the same number of writes.
struct Script {
    plain: Vec<u8>,
    /// Head and opening, then the words, then what tells that the message ended.
    stream: Vec<Vec<u8>>,
    usage: Vec<u8>,
    end: Vec<u8>,
}

/// Answers on `listener` until the process ends.
pub async fn serve(listener: TcpListener) -> Result<()> {
    let answers = Arc::new(Answers { openai: openai::script(), converse: converse::script() });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answers = Arc::clone(&answers);
        tokio::spawn(async move { answer_all(stream, &answers).await });
    }
}

struct Answers {
    openai: Script,
    converse: Script,
}

/// What is answered to one request.
struct Answer<'a> {
    script: &'a Script,
    stream: bool,
    usage: bool,
    pace: Option<Duration>,
}

impl Answers {
    fn to(&self, request: &[u8]) -> Answer<'_> {
        let pace = pace_of(request);
        if !request.starts_with(b"POST /model/") {
            let (stream, usage) = (find(request, br#""stream":true"#).is_some(), find(request, b"include_usage").is_some());
            return Answer { script: &self.openai, stream, usage, pace };
        }
        let line = find(request, b"\r\n").and_then(|end| request.get(..end)).unwrap_or_default();
        let stream = find(line, b"/converse-stream ").is_some();
        Answer { script: &self.converse, stream, usage: true, pace }
    }
}

async fn answer_all(mut stream: TcpStream, answers: &Answers) -> Result<()> {
    let mut received = Vec::with_capacity(4096);
    loop {
        let length = loop {
            if let Some(length) = message_length(&received) {
                break length;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let answer = answers.to(received.get(..length).context("message length past its end")?);
        if answer.stream {
            stream_answer(&mut stream, &answer).await?;
        } else {
            stream.write_all(&answer.script.plain).await?;
        }
        received.drain(..length);
    }
}

async fn stream_answer(stream: &mut TcpStream, answer: &Answer<'_>) -> Result<()> {
    for (place, event) in answer.script.stream.iter().enumerate() {
        // The finish event follows the last word at once, as it does from a real model.
        if let Some(pace) = answer.pace.filter(|_| place > 0 && place <= WORDS) {
            tokio::time::sleep(pace).await;
        }
        stream.write_all(event).await?;
    }
    if answer.usage {
        stream.write_all(&answer.script.usage).await?;
    }
    stream.write_all(&answer.script.end).await?;
    Ok(())
}

/// A plain answer with its head.
fn whole(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The head of a stream.
fn stream_head(content_type: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes()
}

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn pace_of(request: &[u8]) -> Option<Duration> {
    const MARK: &[u8] = b"pace_us=";
    let digits = request.get(find(request, MARK)? + MARK.len()..)?;
    let digits: String = digits.iter().take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
    digits.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        form::Form,
        mode::Mode,
        wire::{BodyReader, body_of, head_length},
    };

    const FORMS: [Form; 2] = [Form::OpenAi, Form::Converse];

    fn answers() -> Answers {
        Answers { openai: openai::script(), converse: converse::script() }
    }

    fn body(message: &[u8]) -> Vec<u8> {
        let (head, body) = message.split_at(head_length(message).unwrap());
        let mut reader = BodyReader::new(body_of(head), Vec::new());
        reader.take(body).unwrap();
        assert!(reader.is_whole());
        reader.into_buffer()
    }

    #[test]
    fn each_request_is_answered_in_its_form_and_at_its_pace() {
        let answers = answers();
        for (form, script) in FORMS.into_iter().zip([&answers.openai, &answers.converse]) {
            for mode in [Mode::Plain, Mode::Stream, Mode::Paced] {
                let answer = answers.to(&form.request(mode, "capability", "key"));
                assert!(std::ptr::eq(answer.script, script), "{form:?}");
                assert_eq!(
                    (answer.stream, answer.usage),
                    (mode.is_stream(), mode.is_stream() || form == Form::Converse),
                    "{form:?} {mode:?}"
                );
                assert_eq!(answer.pace.is_some(), mode == Mode::Paced, "{form:?} {mode:?}");
            }
        }
    }

    #[test]
    fn both_forms_say_the_same_in_the_same_number_of_writes() {
        let answers = answers();
        for (form, script) in FORMS.into_iter().zip([&answers.openai, &answers.converse]) {
            assert_eq!(form.text(Mode::Plain, &body(&script.plain)).unwrap(), text());
            assert_eq!(script.stream.len(), WORDS + 2);
            let stream = body(&[script.stream.concat(), script.usage.clone(), script.end.clone()].concat());
            assert_eq!(form.text(Mode::Stream, &stream).unwrap().trim_end(), text());
            assert!(form.has_ended(&stream));
            assert!(!form.has_ended(&body(&[script.stream.concat(), b"0\r\n\r\n".to_vec()].concat())));
        }
    }
}
