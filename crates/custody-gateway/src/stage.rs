//! The stages of a governed request (D10), by the names that events, metrics and switches use.

use std::{fmt, str::FromStr};

/// One stage. The order is the order of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The request has its id.
    Receive,
    /// The credential says who asks.
    Identify,
    /// The body was read and understood.
    Understand,
    /// Policies say whether they may.
    Authorise,
    /// The prompt is put together.
    Assemble,
    /// A route is chosen.
    Route,
    /// The intent is made durable.
    Record,
    /// The model answers.
    Answer,
    /// The answer is checked.
    Validate,
    /// The outcome is made durable and the answer goes out.
    Release,
}

/// The text names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stage: use receive, identify, understand, authorise, assemble, route, record, answer, validate or release")]
pub struct UnknownStageError(String);

impl Stage {
    /// Every stage, in the order of the flow.
    pub const ALL: [Self; 10] = [
        Self::Receive,
        Self::Identify,
        Self::Understand,
        Self::Authorise,
        Self::Assemble,
        Self::Route,
        Self::Record,
        Self::Answer,
        Self::Validate,
        Self::Release,
    ];

    /// Its name in events, metrics and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Identify => "identify",
            Self::Understand => "understand",
            Self::Authorise => "authorise",
            Self::Assemble => "assemble",
            Self::Route => "route",
            Self::Record => "record",
            Self::Answer => "answer",
            Self::Validate => "validate",
            Self::Release => "release",
        }
    }

    pub(crate) const fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = UnknownStageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|stage| stage.as_str() == text);
        found.ok_or_else(|| UnknownStageError(text.chars().take(64).filter(|c| !c.is_control()).collect()))
    }
}
