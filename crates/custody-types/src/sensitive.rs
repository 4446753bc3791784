//! Text that must never be at rest in the clear (law 3).

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A prompt, document, answer, key or credential. `Debug` and `Display` print a placeholder, it cannot be serialised, and
/// [`SensitiveText::expose`] is the one greppable way to read it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SensitiveText(String);

impl SensitiveText {
    /// Wraps text as soon as it is known to be sensitive.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Each call is a place to review: the result must not reach an event, a log, a metric or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its length in bytes, which is not sensitive.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds more text to the end, for an answer that arrives in pieces.
    pub fn push(&mut self, more: &str) {
        self.0.push_str(more);
    }
}

impl fmt::Debug for SensitiveText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<sensitive, {} bytes>", self.0.len())
    }
}

impl fmt::Display for SensitiveText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for SensitiveText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_never_shows_the_text() {
        let text = SensitiveText::new("card 4111 1111 1111 1111");
        assert!(!format!("{text} {text:?}").contains("4111"));
    }
}
