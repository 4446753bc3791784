//! One request and its answer on a connection, with the moment at which each word came.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    load::Load,
    upstream::{WORD, WORDS},
    wire::{BodyReader, body_of, find, head_length},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is used again and again, and its buffers.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    body: Vec<u8>,
    words: Vec<Instant>,
}

/// An answer that is whole and right.
pub struct Exchange<'a> {
    pub sent: Instant,
    pub ended: Instant,
    /// When each word arrived; words that came in one read came at one moment.
    pub words: &'a [Instant],
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Connection {
    pub async fn open(target: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(target).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(32 << 10), body: Vec::new(), words: Vec::with_capacity(WORDS) })
    }

    /// Sends the load's request and waits for its answer. The connection is not to be used after an error.
    pub async fn exchange(&mut self, load: &Load) -> Result<Exchange<'_>> {
        let (sent, ended, head) = timeout(PATIENCE, self.answer(load)).await.context("no answer within 20 s")??;
        let head = self.received.get(..head).unwrap_or_default();
        check(load, head, &self.body, self.words.len())?;
        Ok(Exchange { sent, ended, words: &self.words, head, body: &self.body })
    }

    async fn answer(&mut self, load: &Load) -> Result<(Instant, Instant, usize)> {
        self.received.clear();
        self.words.clear();
        let sent = Instant::now();
        self.stream.write_all(&load.request).await?;
        let head = self.read_head().await?;
        let body = body_of(self.received.get(..head).unwrap_or_default());
        let mut reader = BodyReader::new(body, std::mem::take(&mut self.body));
        let (mut taken, mut looked_at) = (head, 0);
        let ended = loop {
            let now = Instant::now();
            reader.take(self.received.get(taken..).unwrap_or_default())?;
            taken = self.received.len();
            looked_at = note_words(reader.body(), looked_at, now, &mut self.words);
            if reader.is_whole() {
                break now;
            }
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "connection closed within an answer");
        };
        self.body = reader.into_buffer();
        Ok((sent, ended, head))
    }

    async fn read_head(&mut self) -> Result<usize> {
        loop {
            if let Some(head) = head_length(&self.received) {
                return Ok(head);
            }
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "connection closed before an answer");
        }
    }
}

/// Notes the words behind `from`, and says from where to look next: a word may lie across two reads.
fn note_words(body: &[u8], mut from: usize, now: Instant, words: &mut Vec<Instant>) -> usize {
    while let Some(place) = body.get(from..).and_then(|news| find(news, WORD.as_bytes())) {
        words.push(now);
        from += place + WORD.len();
    }
    from.max(body.len().saturating_sub(WORD.len() - 1))
}

/// Whether it is the answer that was asked for, down to its last word and its end.
fn check(load: &Load, head: &[u8], body: &[u8], words: usize) -> Result<()> {
    let shown = || String::from_utf8_lossy(body.get(..600).unwrap_or(body)).into_owned();
    ensure!(head.starts_with(b"HTTP/1.1 200"), "refused: {}{}", String::from_utf8_lossy(head), shown());
    ensure!(words == WORDS, "{words} words of {WORDS}: {}", shown());
    ensure!(!load.mode.is_stream() || load.form.has_ended(body), "a stream without its end: {}", shown());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_comes_in_two_reads_counts_once_and_when_it_is_whole() {
        let whole = b"an answer, answer";
        for cut in 0..=whole.len() {
            let (early, mut words) = (Instant::now(), Vec::new());
            let late = early + Duration::from_millis(1);
            let from = note_words(&whole[..cut], 0, early, &mut words);
            note_words(whole, from, late, &mut words);
            let expected = [if cut < 9 { late } else { early }, if cut < whole.len() { late } else { early }];
            assert_eq!(words, expected, "{cut}");
        }
    }
}
