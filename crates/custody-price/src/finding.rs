//! Why there is no amount.

use std::{fmt, str::FromStr};

/// Why an attempt has no amount; stands in the cost event's `finding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Finding {
    /// The book has no price for this model at this time, or none for a class of tokens that was used.
    MissingPrice,
    /// The amount is larger than one event can hold.
    AmountOutOfRange,
    /// The provider did not say what was used.
    UsageUnknown,
    /// The provider's counts contradict each other.
    UsageInconsistent,
}

/// The text names no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a finding")]
pub struct UnknownFindingError;

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 4] = [Self::MissingPrice, Self::AmountOutOfRange, Self::UsageUnknown, Self::UsageInconsistent];

    /// The stable name in events and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingPrice => "missing_price",
            Self::AmountOutOfRange => "amount_out_of_range",
            Self::UsageUnknown => "usage_unknown",
            Self::UsageInconsistent => "usage_inconsistent",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Finding {
    type Err = UnknownFindingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == text).ok_or(UnknownFindingError)
    }
}
