//! The caller: a closed loop on a number of connections, each sending its next request when the answer before is whole.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::{task::JoinSet, time::Instant};

use super::{
    exchange::{Connection, Exchange},
    form::Form,
    mode::Mode,
};
use crate::measure::Latencies;

/// What to send, and for how long.
#[derive(Debug, Clone)]
pub struct Load {
    pub target: SocketAddr,
    pub request: Bytes,
    pub form: Form,
    pub mode: Mode,
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
    /// Time to the first word.
    pub first: Latencies,
    /// Time from each word of a stream to the next.
    pub gap: Latencies,
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
        seen.first.extend(one.first);
        seen.gap.extend(one.gap);
        seen.stall.extend(one.stall);
    }
    seen.seconds = began.elapsed().as_secs_f64();
    Ok(seen)
}

async fn one_connection(load: &Load, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut connection = None;
    while Instant::now() < until {
        if let Err(error) = exchange_on(&mut connection, load, &mut seen).await {
            connection = None;
            seen.errors += 1;
            seen.first_error.get_or_insert_with(|| format!("{error:#}"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    seen
}

async fn exchange_on(connection: &mut Option<Connection>, load: &Load, seen: &mut Seen) -> Result<()> {
    if connection.is_none() {
        *connection = Some(Connection::open(load.target).await?);
    }
    let connection = connection.as_mut().context("no connection")?;
    seen.add(load.mode, &connection.exchange(load).await?);
    Ok(())
}

impl Seen {
    fn add(&mut self, mode: Mode, exchange: &Exchange<'_>) {
        self.answered += 1;
        self.latency.add(exchange.ended - exchange.sent);
        if !mode.is_stream() {
            return;
        }
        for (word, next) in exchange.words.iter().zip(exchange.words.iter().skip(1)) {
            self.gap.add(*next - *word);
        }
        if let (Some(first), Some(last)) = (exchange.words.first(), exchange.words.last()) {
            self.first.add(*first - exchange.sent);
            self.stall.add(exchange.ended - *last);
        }
    }
}
