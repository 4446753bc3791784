//! The model that every contender calls: canned answers of fifty words over plain sockets, so cheap that it does not hide
//! what is measured.
//!
//! A request whose body has `"stream":true` gets one event a word, each written on its own as a model's tokens are; one whose
//! body has `pace_us=N` gets them N microseconds apart.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::wire::{find, message_length};

const WORDS: usize = 50;
const USAGE: &str = r#"{"prompt_tokens":42,"completion_tokens":50,"total_tokens":92}"#;

/// Answers on `listener` until the process ends.
pub async fn serve(listener: TcpListener) -> Result<()> {
    let answers = Arc::new(Answers::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answers = Arc::clone(&answers);
        tokio::spawn(async move { answer_all(stream, &answers).await });
    }
}

struct Answers {
    plain: Vec<u8>,
    stream: Vec<Vec<u8>>,
    usage: Vec<u8>,
    end: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        let content = vec!["answer"; WORDS].join(" ");
        let body = format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"bench-model","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},"finish_reason":"stop"}}],"usage":{USAGE}}}"#
        );
        let length = body.len();
        let plain = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut stream = vec![[head.as_bytes(), &event(r#"{"role":"assistant","content":""}"#, "null")].concat()];
        stream.extend((0..WORDS).map(|_| event(r#"{"content":"answer "}"#, "null")));
        stream.push(event("{}", r#""stop""#));
        let usage = chunk(&format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\"choices\":[],\"usage\":{USAGE}}}\n\n"
        ));
        let end = [chunk("data: [DONE]\n\n"), b"0\r\n\r\n".to_vec()].concat();
        Self { plain, stream, usage, end }
    }
}

fn event(delta: &str, finish: &str) -> Vec<u8> {
    chunk(&format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    ))
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
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
        let request = received.get(..length).context("message length past its end")?;
        if find(request, br#""stream":true"#).is_some() {
            stream_answer(&mut stream, request, answers).await?;
        } else {
            stream.write_all(&answers.plain).await?;
        }
        received.drain(..length);
    }
}

async fn stream_answer(stream: &mut TcpStream, request: &[u8], answers: &Answers) -> Result<()> {
    let pace = pace_of(request);
    for (place, event) in answers.stream.iter().enumerate() {
        // The finish event follows the last word at once, as it does from a real model.
        if let Some(pace) = pace.filter(|_| place > 0 && place <= WORDS) {
            tokio::time::sleep(pace).await;
        }
        stream.write_all(event).await?;
    }
    if find(request, b"include_usage").is_some() {
        stream.write_all(&answers.usage).await?;
    }
    stream.write_all(&answers.end).await?;
    Ok(())
}

fn pace_of(request: &[u8]) -> Option<Duration> {
    const MARK: &[u8] = b"pace_us=";
    let digits = request.get(find(request, MARK)? + MARK.len()..)?;
    let digits: String = digits.iter().take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
    digits.parse().ok().map(Duration::from_micros)
}
