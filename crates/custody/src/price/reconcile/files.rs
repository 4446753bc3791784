//! The log's files: lines, plain or compressed, to calls. A line is gone before the next one is read; what it held of prompts and
//! answers goes with it.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use custody_price::invocation_log::{LogRecordError, LoggedCall};
use custody_types::{Fault, Text, Timestamp};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{attempt::Attempt, events::moment};
use crate::terminal::{note, say, shown_time};

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bedrock puts bodies above 100 kilobytes apart; a longer line is no record, and would only take memory.
const MAX_LINE: usize = 16 << 20;
/// Times of the log are whole seconds: its last record may be of any moment in its second.
const SECOND: i64 = 1_000_000;

/// Everything that the files tell.
#[derive(Default)]
pub(super) struct Log {
    pub(super) calls: Vec<LoggedCall>,
    pub(super) unreadable: u64,
    files: usize,
    others: u64,
    regions: BTreeSet<Text>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// A line as collectors of logs write it around a record.
#[derive(Deserialize)]
struct Wrapped<'j> {
    #[serde(borrow)]
    record: Option<&'j RawValue>,
    message: Option<String>,
}

impl Log {
    pub(super) fn read(files: &[PathBuf]) -> Result<Self> {
        let mut log = Self { files: files.len(), ..Self::default() };
        for file in files {
            log.read_file(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        }
        Ok(log)
    }

    /// From the first record to the last.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.first.zip(self.last)
    }

    /// Whether the log should tell of an attempt: it began in the log's time, in one of its Regions.
    pub(super) fn covers(&self, attempt: &Attempt) -> bool {
        let Some((first, last)) = self.span() else { return false };
        let began = attempt.attempted.started_at.as_deref().and_then(moment);
        let in_time = began.is_some_and(|at| first <= at && at.micros() < last.micros().saturating_add(SECOND));
        in_time && attempt.region().is_none_or(|region| self.regions.contains(region))
    }

    pub(super) fn say_what_was_read(&self) {
        let regions = self.regions.iter().map(|region| &**region).collect::<Vec<_>>().join(", ");
        let (calls, files) = (self.calls.len(), self.files);
        say(&format!("{calls} calls in {files} files, {} lines of other kinds passed over, {} unreadable", self.others, self.unreadable));
        if let Some((first, last)) = self.span() {
            say(&format!("from {} to {} in {regions}", shown_time(first), shown_time(last)));
        }
    }

    fn read_file(&mut self, file: &Path) -> io::Result<()> {
        let mut plain = BufReader::new(File::open(file)?);
        if plain.fill_buf()?.starts_with(&GZIP) {
            self.read_lines(file, &mut BufReader::new(MultiGzDecoder::new(plain)))
        } else {
            self.read_lines(file, &mut plain)
        }
    }

    fn read_lines(&mut self, file: &Path, lines: &mut impl BufRead) -> io::Result<()> {
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            number += 1;
            let read = lines.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            if read == MAX_LINE && !line.ends_with(b"\n") {
                self.not_read(file, number, "longer than any record");
                lines.skip_until(b'\n')?;
            } else if !line.trim_ascii().is_empty() {
                self.learn(file, number, &line);
            }
        }
    }

    fn learn(&mut self, file: &Path, number: u64, line: &[u8]) {
        let Ok(text) = std::str::from_utf8(line) else { return self.not_read(file, number, "not UTF-8") };
        match call(text) {
            Ok(call) => {
                self.first = Some(self.first.map_or(call.at, |first| first.min(call.at)));
                self.last = Some(self.last.map_or(call.at, |last| last.max(call.at)));
                self.regions.insert(call.region.clone());
                self.calls.push(call);
            }
            Err(LogRecordError::OtherSchema) => self.others += 1,
            Err(error) => self.not_read(file, number, &format!("{error} ({})", error.code())),
        }
    }

    fn not_read(&mut self, file: &Path, number: u64, why: &str) {
        self.unreadable += 1;
        note(&format!("{}:{number}: {why}", file.display()));
    }
}

fn call(line: &str) -> Result<LoggedCall, LogRecordError> {
    match serde_json::from_str::<Wrapped<'_>>(line) {
        Ok(Wrapped { record: Some(record), .. }) => LoggedCall::parse(record.get()),
        Ok(Wrapped { message: Some(message), .. }) => LoggedCall::parse(&message),
        _ => LoggedCall::parse(line),
    }
}
