//! Legal hold: what must not be forgotten, whoever asks and whatever is due. Ingest obeys holds too, so that they are the vault's.

pub use custody_vault::{Hold, HoldScope, Release};
