//! What is wrong with a policy set, each mistake with its place.

use std::fmt;

use custody_types::{Fault, FaultOwner, Retry};

/// One mistake in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyMistake {
    /// File as it was named by the caller.
    pub file: String,
    /// Line from 1, where the mistake has a place.
    pub line: Option<usize>,
    /// What is wrong, in one line.
    pub message: String,
}

impl fmt::Display for PolicyMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// Everything that is wrong with a policy set, in order of file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyMistakes(Vec<PolicyMistake>);

impl PolicyMistakes {
    /// Orders what was found; nothing where nothing is wrong.
    pub(crate) fn found(mut mistakes: Vec<PolicyMistake>) -> Result<(), Self> {
        if mistakes.is_empty() {
            return Ok(());
        }
        mistakes.sort();
        mistakes.dedup();
        Err(Self(mistakes))
    }

    pub(crate) fn one(file: &str, message: String) -> Self {
        Self(vec![PolicyMistake { file: file.to_owned(), line: None, message }])
    }

    /// Every mistake.
    #[must_use]
    pub fn mistakes(&self) -> &[PolicyMistake] {
        &self.0
    }
}

impl fmt::Display for PolicyMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "the policies cannot be used: {}", all.join("; "))
    }
}

impl std::error::Error for PolicyMistakes {}

impl Fault for PolicyMistakes {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "policy_invalid"
    }
}
