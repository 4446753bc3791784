//! The one place where the program writes to the person at the terminal.

/// Prints a line to standard output.
#[expect(clippy::print_stdout, reason = "answers of commands go to standard output")]
pub fn say(text: &str) {
    println!("{text}");
}

/// Prints a line to standard error.
#[expect(clippy::print_stderr, reason = "notes beside an answer go to standard error")]
pub fn note(text: &str) {
    eprintln!("{text}");
}
