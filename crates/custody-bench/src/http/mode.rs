//! The kinds of load, and the request that asks for each.

use bytes::Bytes;
use clap::ValueEnum;

use super::gateway::CAPABILITY;

/// A kind of load.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One JSON answer.
    Plain,
    /// Fifty events as fast as they come.
    Stream,
    /// Fifty events about two milliseconds apart, as from a fast model: shows what a caller waits for.
    Paced,
}

impl Mode {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Plain => "plain answers",
            Self::Stream => "streams, 50 words as fast as they come",
            Self::Paced => "streams, 50 words about 2 ms apart",
        }
    }

    /// A chat of about two hundred bytes.
    pub fn request(self, key: &str) -> Bytes {
        let (pace, stream) = match self {
            Self::Plain => ("", ""),
            Self::Stream => ("", r#","stream":true,"stream_options":{"include_usage":true}"#),
            Self::Paced => (" pace_us=1000", r#","stream":true,"stream_options":{"include_usage":true}"#),
        };
        let question = "How do I reset the password of my account when I no longer have the telephone that it was set up with?";
        let body =
            format!(r#"{{"model":"{}","messages":[{{"role":"user","content":"{question}{pace}"}}],"max_tokens":200{stream}}}"#, CAPABILITY);
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Bytes::from(head + &body)
    }
}
