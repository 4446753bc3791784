//! Keyed hashes: what callers made up (user names, unknown capability names, request and answer text) stands in events only as
//! HMAC-SHA-256 under a key of this deployment, apart for each tenant and purpose, so that short text cannot be guessed from a
//! copy of the events and two tenants' hashes never match.

use std::{
    collections::HashMap,
    fs, io,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use custody_types::{Fault, FaultOwner, PersonPseudonym, Retry, TenantId, Text};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const KEY_BYTES: usize = 32;

/// What a keyed hash is of; hashes of different purposes never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The end user's name.
    User,
    /// Request or answer text.
    Content,
    /// A label that the caller made up.
    Label,
}

/// The deployment's hash key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum HashKeyError {
    /// The file cannot be read or written.
    #[error("the hash key file cannot be used")]
    File(#[from] io::Error),
    /// The file holds something else.
    #[error("the hash key file has {0} bytes, not {KEY_BYTES}")]
    Size(usize),
    /// Others may read it.
    #[error("the hash key file is readable by other users: run chmod 600 on it")]
    Exposed,
    /// The system gives no randomness.
    #[error("the operating system gives no randomness")]
    Randomness,
}

impl Fault for HashKeyError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "hash_key_unusable"
    }
}

/// Makes keyed hashes; cheap to share.
pub struct KeyedHasher {
    root: Hmac<Sha256>,
    by_tenant: RwLock<HashMap<Arc<str>, Arc<TenantHasher>>>,
}

/// Makes keyed hashes for one tenant.
pub struct TenantHasher {
    user: Hmac<Sha256>,
    content: Hmac<Sha256>,
    label: Hmac<Sha256>,
}

impl KeyedHasher {
    /// A hasher under this key.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self { root: keyed(key), by_tenant: RwLock::default() }
    }

    /// Reads the key file, or makes it with mode 0600 where there is none.
    ///
    /// # Errors
    /// When the file cannot be used as it is.
    pub fn open(file: &Path) -> Result<Self, HashKeyError> {
        match fs::read(file) {
            Ok(bytes) => {
                if crate::private_file::is_exposed(file)? {
                    return Err(HashKeyError::Exposed);
                }
                let key: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| HashKeyError::Size(bytes.len()))?;
                Ok(Self::new(&key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = random().ok_or(HashKeyError::Randomness)?;
                crate::private_file::create(file, &key)?;
                Ok(Self::new(&key))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What tells this key from others and gives nothing of it away: a keyed hash of a constant, hex.
    #[must_use]
    pub fn check(&self) -> Text {
        let mut mac = self.root.clone();
        mac.update(b"custody/hash-key-check/v1");
        Text::from(hex(&mac.finalize().into_bytes()))
    }

    /// The hasher of one tenant; derived once.
    pub fn tenant(&self, tenant: &Text) -> Arc<TenantHasher> {
        if let Some(known) = self.by_tenant.read().unwrap_or_else(PoisonError::into_inner).get(tenant) {
            return Arc::clone(known);
        }
        let made = Arc::new(TenantHasher {
            user: self.derived(tenant, "user"),
            content: self.derived(tenant, "content"),
            label: self.derived(tenant, "label"),
        });
        let mut all = self.by_tenant.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(Arc::clone(tenant)).or_insert(made))
    }

    fn derived(&self, tenant: &str, purpose: &str) -> Hmac<Sha256> {
        let mut mac = self.root.clone();
        mac.update(format!("custody/keyed/v1/{purpose}/{tenant}").as_bytes());
        keyed(&mac.finalize().into_bytes())
    }
}

impl TenantHasher {
    /// The keyed hash, hex.
    #[must_use]
    pub fn hash(&self, purpose: Purpose, data: &[u8]) -> Text {
        #[cfg(feature = "unsealed")]
        if true {
            return crate::unsealed::shown(data);
        }
        let mut mac = match purpose {
            Purpose::User => self.user.clone(),
            Purpose::Content => self.content.clone(),
            Purpose::Label => self.label.clone(),
        };
        mac.update(data);
        Text::from(hex(&mac.finalize().into_bytes()))
    }
}

/// What tells the hash key of a file from others. A file that is not there is made with a new key where `make` says so.
///
/// # Errors
/// When the file cannot be used as it is, or is not there and not made.
pub fn hash_key_check(file: &Path, make: bool) -> Result<Text, HashKeyError> {
    if !make {
        fs::metadata(file)?;
    }
    Ok(KeyedHasher::open(file)?.check())
}

/// The pseudonym under which a deployment knows a person of a tenant, by the name that callers give as `user`.
///
/// # Errors
/// When the deployment's hash key is not there or cannot be used.
pub fn pseudonym(hash_key_file: &Path, tenant: &TenantId, user: &str) -> Result<PersonPseudonym, HashKeyError> {
    // A key that is made now would know nobody.
    fs::metadata(hash_key_file)?;
    let hasher = KeyedHasher::open(hash_key_file)?.tenant(&tenant.text());
    let name = hasher.hash(Purpose::User, user.as_bytes());
    name.parse().map_err(|_| HashKeyError::Size(name.len()))
}

/// A keyed hash of content that comes in pieces.
pub(crate) struct ContentHash(Hmac<Sha256>);

impl TenantHasher {
    /// Begins a keyed hash of content that comes in pieces.
    pub(crate) fn content(&self) -> ContentHash {
        ContentHash(self.content.clone())
    }
}

impl ContentHash {
    /// Adds a piece.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash, hex.
    pub(crate) fn finish(self) -> Text {
        Text::from(hex(&self.0.finalize().into_bytes()))
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
