//! Where keys and sealed texts that stand in no table are kept: wrapped keys, claim checks, parked records, holds, erasures.
//!
//! Responsible for: durable objects in a folder or on S3, key services (AWS KMS, a key file), bounded caches of unwrapped keys.
//! Knows no table, no log and no policy; text passes through it sealed only.
//!
//! ```text
//! edge/<day>.pub .key        EdgeKeys        gateways read the first, ingest opens the second
//! units/…/<key id>.key       UnitKeys        one key per tenant × person × purpose × month
//! pseudonyms/<tenant>.key    PseudonymKeys   one key per tenant that has pseudonyms
//! claims/edge  claims/rest   Claims          sealed texts too large for the stream or the table
//! parked/…                   ParkedRecords   content records that could not be opened yet
//! forgotten/…                Tombstones      whose texts made up to a time are never written again
//! holds/…                    Holds           what must not be forgotten
//! reveals/… …                Documents       what else people decided, as JSON
//! ```
//! Days, months and positions are decimal numbers. Labels stand in a name as [`ObjectName::label`] writes them.

mod claims;
mod documents;
mod edge_keys;
mod entropy;
mod error;
mod holds;
mod key_service;
mod objects;
mod parked;
mod pseudonym_keys;
mod rewrap;
mod root;
#[cfg(test)]
mod testing;
mod tombstones;
mod unit_keys;

pub use claims::Claims;
pub use documents::{Document, Documents};
pub use edge_keys::{EdgeChanges, EdgeKeys, EdgeKeysDestroyed, EdgeKeysPrepared, EdgeRefresh};
pub use entropy::OsEntropy;
pub use error::VaultError;
pub use holds::{Hold, HoldScope, Holds, OnHold, Release};
pub use key_service::{EndedKeys, FileKeys, KeyCalls, KeyDeletion, KeyProvider, KeyService, KmsKeys, KmsOptions, open_wrapper};
pub use objects::{InvalidObjectNameError, ObjectName, Objects, Put, Replaced};
pub use parked::{ParkedDigest, ParkedPlace, ParkedRecords};
pub use pseudonym_keys::PseudonymKeys;
pub use rewrap::{RewrapProgress, RewrapReport, Rewrapper};
pub use root::{S3Options, VaultRoot, VaultRootError, open_objects};
pub use tombstones::{Forgotten, Tombstone, Tombstones};
pub use unit_keys::{CacheLimits, KeptUnit, UnitKeys};
