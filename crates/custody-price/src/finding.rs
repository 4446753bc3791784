//! Why there is no amount.

use std::fmt;

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

impl Finding {
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
