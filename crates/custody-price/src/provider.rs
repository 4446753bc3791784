//! The providers whose usage and prices are understood.

use std::{fmt, str::FromStr};

/// Who serves a model, as events, routes and the price book name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    /// The simulator, which calls nobody.
    Simulator,
    /// An upstream that speaks OpenAI's chat completions.
    OpenAiCompatible,
    /// Amazon Bedrock, through its own API.
    Bedrock,
}

/// The text names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a provider: use one of {accepted}", accepted = Provider::ACCEPTED)]
pub struct UnknownProviderError(String);

impl Provider {
    /// The names, for messages.
    pub const ACCEPTED: &'static str = "simulator, openai_compatible, bedrock";

    /// The name in files, events and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::OpenAiCompatible => "openai_compatible",
            Self::Bedrock => "bedrock",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProviderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "simulator" => Ok(Self::Simulator),
            "openai_compatible" => Ok(Self::OpenAiCompatible),
            "bedrock" => Ok(Self::Bedrock),
            other => Err(UnknownProviderError(other.chars().take(64).filter(|c| !c.is_control()).collect())),
        }
    }
}
