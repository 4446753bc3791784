//! What an opener should take up and drop. Found without the opener, so that texts open while store and key service are asked.

use std::fmt;

use custody_seal::edge::{EdgeOpener, EdgePrivateKey};

use super::EdgeRefresh;

/// What brings an opener up to date: asked for without it, so that texts open meanwhile.
pub struct EdgeChanges {
    pub(super) to_hold: Vec<EdgePrivateKey>,
    pub(super) refresh: EdgeRefresh,
}

impl EdgeChanges {
    /// Whether the opener has all that is kept and nothing else.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.to_hold.is_empty() && self.refresh.dropped.is_empty()
    }

    /// Makes them.
    pub fn apply(self, opener: &mut EdgeOpener) -> EdgeRefresh {
        for key in self.to_hold {
            opener.hold(key);
        }
        for id in &self.refresh.dropped {
            opener.destroy(*id);
        }
        self.refresh
    }
}

impl fmt::Debug for EdgeChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeChanges").field("refresh", &self.refresh).finish_non_exhaustive()
    }
}
