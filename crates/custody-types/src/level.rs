//! Closed sets that security decisions match on: adding a case breaks every `match`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The text names no member of the set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}: use one of {accepted}")]
pub struct UnknownNameError {
    what: &'static str,
    found: String,
    accepted: &'static str,
}

macro_rules! named_set {
    ($(#[$doc:meta])* $name:ident, $what:literal, $accepted:literal, { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every member, weakest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in files, events and SQL.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownNameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(UnknownNameError { what: $what, found: other.chars().take(64).collect(), accepted: $accepted }),
                }
            }
        }
    };
}

named_set!(
    /// How much control a workload needs; the first decision about it, and what routes derive from (PRN-15).
    ControlLevel, "control level", "internal, customer, regulated, high_control",
    {
        /// Internal drafts and summaries: versioned prompts and the trail.
        Internal = "internal",
        /// Customers read the answers.
        Customer = "customer",
        /// Rules or contracts bind the workload.
        Regulated = "regulated",
        /// Finance, health and the like: the strictest.
        HighControl = "high_control",
    }
);
named_set!(
    /// How sensitive the data is that a request may carry (PRN-13).
    DataClass, "data class", "public, internal, confidential, restricted",
    {
        /// Published already.
        Public = "public",
        /// For people inside the organisation.
        Internal = "internal",
        /// Harm if it leaves; customers' data.
        Confidential = "confidential",
        /// The narrowest circle.
        Restricted = "restricted",
    }
);
named_set!(
    /// What the answer is for, which decides how strictly it is checked (PRN-14, PR-23).
    Handling, "handling", "display, human_review, machine_action",
    {
        /// A person reads it.
        Display = "display",
        /// A person approves it before use.
        HumanReview = "human_review",
        /// A program acts on it.
        MachineAction = "machine_action",
    }
);
