//! What is wrong with a price book, each mistake with its key path, the value found and what would be accepted.

use std::fmt;

use custody_types::{Fault, FaultOwner, Retry};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceMistake {
    /// File as it was named by the caller.
    pub file: String,
    /// Key path, such as `entries[2].per_million_tokens.input`; empty where the whole file is meant.
    pub key: String,
    /// The value found, shortened.
    pub found: String,
    /// What would be accepted.
    pub accepted: String,
}

impl fmt::Display for PriceMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, found, accepted } = self;
        let place = if key.is_empty() { file.clone() } else { format!("{file}: `{key}`") };
        write!(f, "{place} is {found}: use {accepted}")
    }
}

/// Everything that is wrong with a price book, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceMistakes(pub(crate) Vec<PriceMistake>);

impl PriceMistakes {
    /// Every mistake.
    #[must_use]
    pub fn mistakes(&self) -> &[PriceMistake] {
        &self.0
    }
}

impl fmt::Display for PriceMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "the price book cannot be used: {}", all.join("; "))
    }
}

impl std::error::Error for PriceMistakes {}

impl Fault for PriceMistakes {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "price_book_invalid"
    }
}
