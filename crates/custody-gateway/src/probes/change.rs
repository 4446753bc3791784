//! News of a provider, for the log: the operator's own names and our own words, never text of the other side.

use custody_model::ProbeError;
use custody_types::RouteName;

/// How far a question gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// A list of models comes back.
    Listing,
    /// Something answers, but with no list; it may serve calls.
    Mute,
    /// No working server is there.
    Away,
}

/// Something is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// How far questions get, and what keeps them from getting further.
    Reach(Reach, Option<ProbeError>),
    /// Whether a route's model is listed.
    Listed(RouteName, bool),
    /// It says how busy it is, or why not.
    Capacity(Option<ProbeError>),
}

impl Reach {
    pub(super) const fn of(error: Option<&ProbeError>) -> Self {
        match error {
            None => Self::Listing,
            Some(error) if error.is_down() => Self::Away,
            Some(_) => Self::Mute,
        }
    }
}

impl Change {
    /// Writes the line.
    pub(super) fn tell(&self, provider: &str) {
        let reason = |error: &Option<ProbeError>| error.map(|error| error.reason());
        match self {
            Self::Reach(Reach::Listing, _) => tracing::info!(provider, "a provider lists its models again"),
            Self::Reach(Reach::Mute, error) => {
                tracing::warn!(provider, reason = reason(error), "a provider answers without a list of models")
            }
            Self::Reach(Reach::Away, error) => tracing::warn!(provider, reason = reason(error), "a provider does not answer"),
            Self::Listed(route, true) => tracing::info!(provider, %route, "a provider lists a route's model again"),
            Self::Listed(route, false) => tracing::warn!(provider, %route, "a provider does not list a route's model"),
            Self::Capacity(None) => tracing::info!(provider, "a provider says again how busy it is"),
            Self::Capacity(error) => tracing::warn!(provider, reason = reason(error), "a provider does not say how busy it is"),
        }
    }
}
