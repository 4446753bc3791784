//! What is appended together, and what the journal answers.

use bytes::Bytes;
use custody_types::{LogPosition, LogRecord, Seq, Source};

/// Names one request in frame headers.
pub type RequestKey = [u8; 16];

/// What a record means for an open request. It stands in the frame, so that open requests are known without decoding payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Obligation {
    /// Belongs to no request.
    #[default]
    None,
    /// First record of a request: from here on an outcome is owed.
    Opens(RequestKey),
    /// Last record of a request: the debt is paid.
    Closes(RequestKey),
    /// Any record of the request in between.
    Within(RequestKey),
}

impl Obligation {
    /// The request, if the record belongs to one.
    #[must_use]
    pub const fn key(&self) -> Option<RequestKey> {
        match self {
            Self::None => None,
            Self::Opens(key) | Self::Closes(key) | Self::Within(key) => Some(*key),
        }
    }
}

/// What an append does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// Nothing.
    Plain,
    /// Opens it and reserves room for its outcome.
    Open(RequestKey),
    /// Adds to it and keeps its reserve.
    Within(RequestKey),
    /// Pays the debt, out of its reserve.
    Close(RequestKey),
}

/// Records that are appended together, in order, into one segment.
#[derive(Debug, Clone)]
pub struct Unit {
    /// What it does to a request.
    pub kind: UnitKind,
    /// Payloads; never empty.
    pub records: Vec<Bytes>,
}

/// Where records stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Who wrote them.
    pub source: Source,
    /// Place of the first within the source.
    pub first_seq: Seq,
    /// Place of the last within the source.
    pub last_seq: Seq,
    /// The log's end after them.
    pub end: LogPosition,
}

/// The places given to an enqueued unit. It is durable once the journal's durable end reaches `appended.end`, not before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Where the records will stand.
    pub appended: Appended,
}

/// One record as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The record.
    pub record: LogRecord,
    /// Its meaning for a request.
    pub obligation: Obligation,
}

/// What one commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReport {
    /// Durable end after it.
    pub durable: LogPosition,
    /// Records made durable.
    pub records: u64,
    /// Bytes written, frame headers included.
    pub bytes: u64,
    /// Whether the first file failed and the batch was rewritten to a fresh one.
    pub rewritten: bool,
}
