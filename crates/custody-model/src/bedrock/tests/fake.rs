//! A server that reads a request and says what it is told, byte for byte.

use std::sync::{Arc, Mutex};

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A server and what it was asked.
pub(super) struct Fake {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Fake {
    /// Says the same to everyone. What ends in `hold` keeps the connection open and silent.
    pub(super) async fn saying(says: Vec<u8>, hold: bool) -> Self {
        Self::in_turn(vec![says], hold).await
    }

    /// Says one thing after the other, and the last to everyone after that.
    pub(super) async fn in_turn(says: Vec<Vec<u8>>, hold: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            let (mut held, mut turn) = (Vec::new(), 0);
            while let Ok((mut socket, _)) = listener.accept().await {
                if let Some(asked) = read(&mut socket).await {
                    noted.lock().unwrap().push(asked);
                }
                let _ = socket.write_all(&says[turn.min(says.len() - 1)]).await;
                turn += 1;
                if hold {
                    held.push(socket);
                }
            }
        });
        Self { url, seen }
    }

    pub(super) async fn json(status: u16, headers: &str, body: &str) -> Self {
        Self::saying(whole(status, headers, body.as_bytes()), false).await
    }

    pub(super) async fn stream(frames: &[Vec<u8>]) -> Self {
        Self::saying(whole(200, "content-type: application/vnd.amazon.eventstream\r\n", &frames.concat()), false).await
    }

    /// A stream that stays open behind its frames.
    pub(super) async fn endless(frames: &[Vec<u8>]) -> Self {
        let mut says = b"HTTP/1.1 200 OK\r\nx-amzn-requestid: req-1\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for frame in frames {
            says.extend(format!("{:x}\r\n", frame.len()).bytes());
            says.extend(frame);
            says.extend(b"\r\n");
        }
        Self::saying(says, true).await
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

pub(super) fn whole(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status} x\r\nx-amzn-requestid: req-1\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(super) fn event(name: &str, payload: &str) -> Vec<u8> {
    frame([(":message-type", "event"), (":event-type", name)], payload)
}

pub(super) fn exception(name: &str, payload: &str) -> Vec<u8> {
    frame([(":message-type", "exception"), (":exception-type", name)], payload)
}

pub(super) fn frame(headers: [(&'static str, &str); 2], payload: &str) -> Vec<u8> {
    let headers = headers.map(|(name, value)| Header::new(name, HeaderValue::String(value.to_owned().into())));
    let mut bytes = Vec::new();
    write_message_to(&Message::new_from_parts(headers.to_vec(), payload.as_bytes().to_vec()), &mut bytes).unwrap();
    bytes
}

async fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = socket.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok()).unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return Some(Asked { head, body: bytes[end + 4..].to_vec() });
        }
    }
}
