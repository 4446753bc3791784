//! Identifiers. All are UUIDs in their hyphenated text form (RFC 9562); request and event ids are version 7, so that an id
//! alone bounds the time range in which its rows can lie.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a UUID")]
pub struct ParseIdError(String);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that came from an [`IdSource`] or from disk.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let shown: String = text.chars().take(64).collect();
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError(shown))
            }
        }
    };
}

uuid_id!(
    /// One governed request, made by the gateway; a caller's own id is kept beside it as correlation only (PATH-01).
    RequestId
);
uuid_id!(
    /// One event.
    EventId
);
uuid_id!(
    /// One journal: a folder of segments with a single writer at a time.
    JournalId
);

impl RequestId {
    /// The sixteen bytes under which a journal tracks the open request.
    #[must_use]
    pub fn key(&self) -> [u8; 16] {
        *self.0.as_bytes()
    }
}

/// Where new identifiers come from; tests and simulations inject their own.
pub trait IdSource: Send + Sync {
    /// A fresh request id (UUID version 7).
    fn request_id(&self) -> RequestId;
    /// A fresh event id (UUID version 7).
    fn event_id(&self) -> EventId;
}
