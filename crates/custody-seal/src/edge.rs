//! Sealing at the edge (D4): gateways seal to the public key of the day and hold no private key; ingest alone opens.
//!
//! One HPKE encapsulation a journal segment (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, export only), one derived key a
//! record. The encapsulation stands in each record (32 bytes), so that a record opens by itself, from whatever offset the log is
//! read, and wherever it was parked; the opener does the curve's arithmetic once a segment.
//!
//! A gateway that is taken over can open what its own open segment sealed, as it saw that text anyway; a stolen disk opens
//! nothing. HPKE in base mode does not say who sealed: that the content stream came from a gateway is the log's to prove.

mod day;
mod hpke_export;
mod opener;
mod private_key;
mod public_key;
mod public_keys;
mod record;
mod sealer;
mod terms;

pub use day::{EdgeDay, EdgeWindow};
pub use opener::EdgeOpener;
pub use private_key::EdgePrivateKey;
pub use public_key::{EdgeKeyId, EdgePublicKey};
pub use public_keys::EdgePublicKeys;
pub use record::edge_key_of;
pub use sealer::{EdgeSealed, SegmentSealer};
pub use terms::EdgeTerms;
