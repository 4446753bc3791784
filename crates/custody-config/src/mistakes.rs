//! What is wrong with configuration files, all of it in one run: file, key path, value found, what would be accepted.

use std::{cell::RefCell, fmt};

/// One mistake in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as the person who wrote it knows it.
    pub file: String,
    /// Dotted key path; empty where the whole file is meant.
    pub key: String,
    /// What stands there, in one short sentence that never quotes a secret.
    pub problem: String,
    /// What would be accepted.
    pub accepted: String,
}

/// Collects mistakes while files are read.
#[derive(Debug, Default)]
pub struct Mistakes(RefCell<Vec<Mistake>>);

impl Mistakes {
    /// Notes one.
    pub fn add(&self, file: &str, key: &str, problem: impl Into<String>, accepted: impl Into<String>) {
        let mistake =
            Mistake { file: file.to_owned(), key: key.to_owned(), problem: one_line(problem.into()), accepted: one_line(accepted.into()) };
        self.0.borrow_mut().push(mistake);
    }

    /// All of them, in the order they were met.
    #[must_use]
    pub fn into_vec(self) -> Vec<Mistake> {
        self.0.into_inner()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if !self.key.is_empty() {
            write!(f, ", key `{}`", self.key)?;
        }
        write!(f, ": {}; {}", self.problem, self.accepted)
    }
}

fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) {
        text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    } else {
        text
    }
}
