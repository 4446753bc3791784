//! The one place where the program writes to the person at the terminal. A closed pipe is not an error.

use std::io::Write;

/// Prints a line to standard output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line to standard error.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
