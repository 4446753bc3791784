//! The caller: a closed loop on a number of connections, each sending its next request when the answer before is whole.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

use super::wire::{Body, body_of, find, head_length, is_whole};
use crate::measure::Latencies;

/// What to send, and for how long.
#[derive(Debug, Clone)]
pub struct Load {
    pub target: SocketAddr,
    pub request: Bytes,
    pub stream: bool,
    pub connections: usize,
    pub lasting: Duration,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Seen {
    pub answered: u64,
    pub errors: u64,
    pub first_error: Option<String>,
    pub seconds: f64,
    pub latency: Latencies,
    /// Time to the first byte of the answer's body.
    pub first_byte: Latencies,
    /// Time from the last word of a stream to its end.
    pub stall: Latencies,
}

/// Sends the load.
pub async fn run(load: &Load) -> Result<Seen> {
    let began = Instant::now();
    let until = began + load.lasting;
    let mut connections = JoinSet::new();
    for _ in 0..load.connections {
        let load = load.clone();
        connections.spawn(async move { one_connection(&load, until).await });
    }
    let mut seen = Seen::default();
    while let Some(done) = connections.join_next().await {
        let one = done?;
        seen.answered += one.answered;
        seen.errors += one.errors;
        seen.first_error = seen.first_error.or(one.first_error);
        seen.latency.extend(one.latency);
        seen.first_byte.extend(one.first_byte);
        seen.stall.extend(one.stall);
    }
    seen.seconds = began.elapsed().as_secs_f64();
    Ok(seen)
}

async fn one_connection(load: &Load, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut connection = None;
    while Instant::now() < until {
        match exchange_on(&mut connection, load).await {
            Ok(exchange) => seen.add(&exchange),
            Err(error) => {
                connection = None;
                seen.errors += 1;
                seen.first_error.get_or_insert_with(|| format!("{error:#}"));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    seen
}

impl Seen {
    fn add(&mut self, exchange: &Exchange) {
        self.answered += 1;
        self.latency.add(exchange.ended - exchange.sent);
        self.first_byte.add(exchange.first_byte - exchange.sent);
        self.stall.add(exchange.ended - exchange.last_word);
    }
}

/// The moments of one request.
struct Exchange {
    sent: Instant,
    first_byte: Instant,
    last_word: Instant,
    ended: Instant,
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

async fn exchange_on(connection: &mut Option<Connection>, load: &Load) -> Result<Exchange> {
    if connection.is_none() {
        let stream = TcpStream::connect(load.target).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        *connection = Some(Connection { stream, received: Vec::with_capacity(32 << 10) });
    }
    let connection = connection.as_mut().context("no connection")?;
    let exchange = connection.exchange(load);
    tokio::time::timeout(Duration::from_secs(20), exchange).await.context("no answer within 20 s")?
}

impl Connection {
    async fn exchange(&mut self, load: &Load) -> Result<Exchange> {
        self.received.clear();
        let sent = Instant::now();
        self.stream.write_all(&load.request).await?;
        let (head, body) = self.read_head().await?;
        let mut first_byte = (self.received.len() > head).then(Instant::now);
        let mut last_word = sent;
        let mut looked_at = head;
        loop {
            let now = Instant::now();
            if self.received.get(looked_at..).is_some_and(|news| find(news, br#""content":""#).is_some()) {
                last_word = now;
            }
            // A word may lie across two reads: look at the end of this one again.
            looked_at = self.received.len().saturating_sub(10).max(head);
            if is_whole(&self.received, head, body) {
                self.check(head, load.stream)?;
                return Ok(Exchange { sent, first_byte: first_byte.unwrap_or(now), last_word, ended: now });
            }
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "connection closed within an answer");
            first_byte.get_or_insert_with(Instant::now);
        }
    }

    async fn read_head(&mut self) -> Result<(usize, Body)> {
        loop {
            if let Some(head) = head_length(&self.received) {
                return Ok((head, body_of(self.received.get(..head).unwrap_or_default())));
            }
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "connection closed before an answer");
        }
    }

    fn check(&self, head: usize, stream: bool) -> Result<()> {
        let shown = || String::from_utf8_lossy(self.received.get(..600).unwrap_or(&self.received)).into_owned();
        ensure!(self.received.starts_with(b"HTTP/1.1 200"), "refused: {}", shown());
        let body = self.received.get(head..).unwrap_or_default();
        let mark: &[u8] = if stream { b"data: [DONE]" } else { b"answer" };
        ensure!(find(body, mark).is_some(), "not the answer that was asked for: {}", shown());
        Ok(())
    }
}
