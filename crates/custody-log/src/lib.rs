//! The log: one gateway's journal, and the port through which consumers read any log.
//!
//! Responsible for: records durable before the call returns, in order, each once; room for every outcome that was promised;
//! telling altered bytes from unfinished ones. Does not know what a record means: payloads are bytes, and a request is sixteen of
//! them in the frame.
//!
//! The format is drawn in `format.rs`. [`Journal`] is the handle for services, [`JournalCore`] the same journal without threads.

mod commit;
mod config;
mod disk;
mod error;
mod file_disk;
mod format;
mod journal;
mod journal_core;
pub mod kafka;
mod landmark;
mod obligations;
mod reader;
mod recover;
mod report;
mod room;
mod scan;
mod segment_reader;
mod spare;
mod tail;
mod unit;
mod view;
mod writer_thread;

pub use config::JournalConfig;
pub use disk::{Disk, DiskFile, DiskLock};
pub use error::{AppendError, FullCause, OpenJournalError, ReadError};
pub use file_disk::FileDisk;
pub use journal::{Admission, Journal, OpenReport, OpenRequest};
pub use journal_core::JournalCore;
pub use reader::{JournalReader, LogBounds, LogReader};
pub use report::{JournalStats, OpenRequestRecords, RecoveryReport, TornTail};
pub use segment_reader::SegmentReader;
pub use spare::SpareJob;
pub use unit::{Appended, CommitReport, Frame, Obligation, RequestKey, Ticket, Unit, UnitKind};
