//! A body taken out of its chunks as it arrives: a proxy cuts chunks where it likes, even within a word.

use anyhow::{Context, Result, ensure};

use super::{Body, find};

/// The body of one message.
#[derive(Debug)]
pub struct BodyReader {
    body: Vec<u8>,
    place: Place,
    /// Bytes of a chunk's first or last line that has not come whole.
    held: Vec<u8>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// So many bytes to the end of the body.
    Rest(usize),
    /// A line that tells a chunk's length.
    Length,
    /// So many bytes to the end of the chunk.
    Chunk(usize),
    /// The line break after a chunk.
    Break,
    /// The empty line after the last chunk.
    End,
    /// Nothing.
    Whole,
}

impl BodyReader {
    /// For the next message; the buffer of the one before is used again.
    pub fn new(body: Body, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        let place = match body {
            Body::Bytes(0) => Place::Whole,
            Body::Bytes(length) => Place::Rest(length),
            Body::Chunked => Place::Length,
        };
        Self { body: buffer, place, held: Vec::new() }
    }

    /// What came so far.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub fn is_whole(&self) -> bool {
        self.place == Place::Whole
    }

    pub fn into_buffer(self) -> Vec<u8> {
        self.body
    }

    /// Takes what arrived.
    pub fn take(&mut self, mut news: &[u8]) -> Result<()> {
        while !news.is_empty() {
            news = match self.place {
                Place::Rest(left) => self.bytes(news, left, Place::Rest, Place::Whole)?,
                Place::Chunk(left) => self.bytes(news, left, Place::Chunk, Place::Break)?,
                Place::Length | Place::Break | Place::End => self.line(news)?,
                Place::Whole => anyhow::bail!("more came than one answer"),
            };
        }
        Ok(())
    }

    fn bytes<'a>(&mut self, news: &'a [u8], left: usize, more: fn(usize) -> Place, done: Place) -> Result<&'a [u8]> {
        let (taken, rest) = news.split_at(left.min(news.len()));
        self.body.extend_from_slice(taken);
        self.place = if taken.len() == left { done } else { more(left - taken.len()) };
        Ok(rest)
    }

    fn line<'a>(&mut self, news: &'a [u8]) -> Result<&'a [u8]> {
        let held = self.held.len();
        self.held.extend_from_slice(news);
        let Some(length) = find(&self.held, b"\r\n") else { return Ok(&[]) };
        let line = String::from_utf8_lossy(self.held.get(..length).unwrap_or_default()).into_owned();
        self.held.clear();
        self.place = match self.place {
            Place::Length => match usize::from_str_radix(&line, 16).with_context(|| format!("`{line}` is no length of a chunk"))? {
                0 => Place::End,
                length => Place::Chunk(length),
            },
            _ => {
                ensure!(line.is_empty(), "`{line}` stands behind a chunk");
                if self.place == Place::End { Place::Whole } else { Place::Length }
            }
        };
        Ok(news.get((length + 2).saturating_sub(held)..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together_wherever_they_were_cut() {
        let wire = b"3\r\nwor\r\n1a\r\nd and twenty-five letters\n\r\n0\r\n\r\n";
        for size in 1..=wire.len() {
            let mut reader = BodyReader::new(Body::Chunked, b"old".to_vec());
            for piece in wire.chunks(size) {
                assert!(!reader.is_whole());
                reader.take(piece).unwrap();
            }
            assert!(reader.is_whole());
            assert_eq!(reader.body(), b"word and twenty-five letters\n");
        }
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        let mut reader = BodyReader::new(Body::Bytes(3), Vec::new());
        reader.take(b"ab").unwrap();
        assert!(!reader.is_whole());
        reader.take(b"c").unwrap();
        assert!(reader.is_whole());
        reader.take(b"d").unwrap_err();
        assert!(BodyReader::new(Body::Chunked, Vec::new()).take(b"word\r\n").is_err());
    }
}
