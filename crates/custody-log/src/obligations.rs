//! Which requests owe an outcome, and since when. A debt counts as paid only once its last record is durable: until then it
//! holds back truncation and is found by recovery.

use std::collections::{BTreeSet, HashMap, VecDeque};

use custody_types::LogPosition;

use crate::unit::RequestKey;

/// The open requests of one journal.
#[derive(Debug, Default)]
pub(crate) struct Obligations {
    open: HashMap<RequestKey, LogPosition>,
    oldest: BTreeSet<(LogPosition, RequestKey)>,
    closing: VecDeque<(LogPosition, RequestKey, LogPosition)>,
}

impl Obligations {
    pub(crate) fn is_open(&self, key: &RequestKey) -> bool {
        self.open.contains_key(key)
    }

    /// A request opens with the record at `position`.
    pub(crate) fn open(&mut self, key: RequestKey, position: LogPosition) {
        self.open.insert(key, position);
        self.oldest.insert((position, key));
    }

    /// The last record of a request was enqueued and ends at `end`.
    pub(crate) fn close(&mut self, key: RequestKey, end: LogPosition) {
        if let Some(opened) = self.open.remove(&key) {
            self.closing.push_back((end, key, opened));
        }
    }

    /// Everything before `durable` is on disk.
    pub(crate) fn settle(&mut self, durable: LogPosition) {
        while let Some((end, key, opened)) = self.closing.front().copied() {
            if end > durable {
                return;
            }
            self.oldest.remove(&(opened, key));
            self.closing.pop_front();
        }
    }

    /// Position of the oldest request whose outcome is not durable.
    pub(crate) fn oldest(&self) -> Option<LogPosition> {
        self.oldest.first().map(|(position, _)| *position)
    }

    /// Requests that may still append.
    pub(crate) fn len(&self) -> u64 {
        self.open.len() as u64
    }
}
