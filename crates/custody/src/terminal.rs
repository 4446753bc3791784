//! The one place where the program writes to the person at the terminal. A closed pipe is not an error.

use std::io::Write;

use chrono::{DateTime, SecondsFormat};
use custody_types::Timestamp;

/// Prints a line to standard output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line to standard error.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A time as people and programs read it: ISO 8601 in UTC.
pub fn shown_time(time: Timestamp) -> String {
    DateTime::from_timestamp_micros(time.micros())
        .map_or_else(|| "unknown".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
