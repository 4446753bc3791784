//! Sealing text so that it opens only where it may, only as long as it may, and only as what it was.
//!
//! Two borders are crossed (D4). At the [`edge`], gateways seal text to the public key of the day; they can't open it again. At
//! [`rest`], ingest has opened and redacted it and seals the full text under the key of a shred unit, which a key service
//! [`wrap`]s. To forget is to destroy a unit's key ([`shred`]).
//!
//! | Key | Seals | At rest | Ends |
//! | --- | --- | --- | --- |
//! | root: KMS key or passphrase | what is below | in KMS, in a head | rotated by the operator |
//! | wrapping key, one or more per tenant | unit keys, pseudonym keys; the product's own: edge keys | KMS, key file | rotated: new one added, keys wrapped anew, old one removed |
//! | edge key, one a day | segment secrets, by HPKE | wrapped | destroyed once the content stream has forgotten its day |
//! | unit key: tenant × person × purpose × month | texts at rest | wrapped, in the key store | expiry, erasure |
//! | pseudonym key: tenant | nothing: it makes the letters that stand for values in redacted text | wrapped, in the key store | erasure of the tenant |
//! | key of one text | one text, once | never | derived, wiped |
//!
//! Every format has a magic of four bytes and a version, is read strictly and stays readable: `tests/fixtures` holds one of
//! each, made once. What seals is one construction, described in `one_use.rs`.
//!
//! Pure by rule: no I/O, no clock, no randomness of its own. Reading and writing key files and key stores, calling KMS, caching
//! unit keys with bounds, and parking text while KMS is away are left to others. Lengths of texts are not hidden.

pub mod edge;
pub mod rest;
pub mod shred;
pub mod wrap;

mod commitment;
mod entropy;
mod error;
mod one_use;
mod pseudonyms;
mod secret;
#[cfg(test)]
mod test_entropy;
mod text_context;
mod wire;

pub use commitment::{OpenedText, TextCommitment};
pub use entropy::{Entropy, NoEntropyError};
pub use error::{FormatError, OpenError, SealError};
pub use one_use::{MAX_TEXT_BYTES, MAX_TEXTS_PER_KEY};
pub use pseudonyms::PseudonymKey;
pub use secret::{SecretBytes, SecretKey};
pub use text_context::{Part, TextContext};
