//! How long files are kept that no version needs.

use std::time::Duration;

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

/// Delta keeps removals in checkpoints for this long unless told otherwise, and we don't: of a file that was removed before, the log no
/// longer says when.
pub(super) const REMOVALS_REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long files are kept that no version needs. Invariant: what was never committed is kept for an hour to seven days. An upload may
/// take ten minutes and its commit ten tries of ninety seconds; an hour is more than both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    uncommitted: Duration,
    removed: Duration,
}

/// The retention is not one that keeps its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// An upload may take longer.
    #[error("retention of {} s is less than an hour: files of an upload under way could be deleted", .0.as_secs())]
    TooShort(Duration),
    /// The table's log forgets removals before.
    #[error("retention of {} s is more than seven days, after which the table's log no longer says when a file was removed", .0.as_secs())]
    TooLong(Duration),
}

impl Retention {
    /// Checks a duration.
    ///
    /// # Errors
    /// Below an hour or above seven days.
    pub const fn new(duration: Duration) -> Result<Self, RetentionError> {
        if duration.as_secs() < HOUR.as_secs() {
            return Err(RetentionError::TooShort(duration));
        }
        if duration.as_secs() > REMOVALS_REMEMBERED.as_secs() {
            return Err(RetentionError::TooLong(duration));
        }
        Ok(Self { uncommitted: duration, removed: duration })
    }

    /// For a table whose rows were forgotten: what a version removed goes at once, whoever still reads the version before. Uploads under
    /// way are kept for an hour nevertheless.
    #[must_use]
    pub const fn of_forgotten() -> Self {
        Self { uncommitted: HOUR, removed: Duration::ZERO }
    }

    /// What no program can have.
    #[cfg(test)]
    pub(super) const fn of_nothing() -> Self {
        Self { uncommitted: Duration::ZERO, removed: Duration::from_nanos(1) }
    }

    /// Nothing where removed files go at once.
    pub(super) fn removed_millis(self) -> Option<i64> {
        (!self.removed.is_zero()).then(|| millis(self.removed))
    }

    pub(super) fn uncommitted_millis(self) -> i64 {
        millis(self.uncommitted)
    }
}

/// Seven days: a week-long holiday of whoever reads an older version, and what Delta itself assumes.
impl Default for Retention {
    fn default() -> Self {
        Self { uncommitted: REMOVALS_REMEMBERED, removed: REMOVALS_REMEMBERED }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
