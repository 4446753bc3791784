//! Server-sent events, read from bytes that may be split anywhere.
//!
//! ```text
//! stream := event*           event := (line end)* end          end := "\n" | "\r\n" | "\r"
//! line   := ":" comment | "data" [":" [" "] text] | other field (ignored)
//! An event's data is its data lines joined by "\n"; an event without a data line is none. Bytes after the last blank line
//! are not an event.
//! ```

use std::fmt;

use crate::UpstreamError;

/// Reads the data of server-sent events. Memory is bounded by `limit`, for a line and for the joined data of one event.
pub struct SseReader {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    skip_newline: bool,
    limit: usize,
}

impl SseReader {
    /// A reader that accepts lines and events of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), has_data: false, skip_newline: false, limit }
    }

    /// Takes more bytes and gives the data of every event they complete to `each`.
    ///
    /// # Errors
    /// The first error of `each`, or [`UpstreamError::LineTooLong`]. The reader is not to be used after an error.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), UpstreamError>) -> Result<(), UpstreamError> {
        if self.skip_newline && !bytes.is_empty() {
            self.skip_newline = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(at) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, rest) = bytes.split_at(at);
            bytes = self.after_line_end(rest);
            if self.line.is_empty() {
                self.end_line(line, &mut each)?;
            } else {
                self.hold(line)?;
                let whole = std::mem::take(&mut self.line);
                self.end_line(&whole, &mut each)?;
                self.line = whole;
                self.line.clear();
            }
        }
        self.hold(bytes)
    }

    /// Steps over a line end; remembers a carriage return at the very end, whose newline may come with the next bytes.
    fn after_line_end<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        match rest {
            [b'\r', b'\n', after @ ..] => after,
            [b'\r'] => {
                self.skip_newline = true;
                &[]
            }
            [_, after @ ..] => after,
            [] => rest,
        }
    }

    fn hold(&mut self, part: &[u8]) -> Result<(), UpstreamError> {
        if self.line.len().saturating_add(part.len()) > self.limit {
            return Err(UpstreamError::LineTooLong { limit: self.limit });
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self, line: &[u8], each: &mut impl FnMut(&[u8]) -> Result<(), UpstreamError>) -> Result<(), UpstreamError> {
        if line.is_empty() {
            let complete = std::mem::take(&mut self.has_data);
            let result = if complete { each(&self.data) } else { Ok(()) };
            self.data.clear();
            return result;
        }
        let Some(text) = data_of(line) else { return Ok(()) };
        if self.data.len().saturating_add(text.len()) >= self.limit {
            return Err(UpstreamError::LineTooLong { limit: self.limit });
        }
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(text);
        Ok(())
    }
}

impl fmt::Debug for SseReader {
    /// A line that is not whole yet is payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseReader").field("held", &(self.line.len() + self.data.len())).field("limit", &self.limit).finish()
    }
}

fn data_of(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', b' ', text @ ..] | [b':', text @ ..] => Some(text),
        _ => None,
    }
}
