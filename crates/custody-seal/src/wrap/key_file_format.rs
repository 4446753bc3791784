//! The key file as bytes.
//!
//! | Offset | Bytes | Field |
//! | --- | --- | --- |
//! | 0 | 4 | `CKEY` |
//! | 4 | 1 | format version, 1 |
//! | 5 | 1 | lock: 0 none, 1 passphrase by Argon2id |
//! | 6 | 12 | memory in KiB, passes, lanes, four bytes each; 0 without a passphrase |
//! | 18 | 16 | salt, random, anew with each writing |
//! | 34 | 32 | key commitment |
//! | 66 | 4 | length of the rest |
//! | 70 | n + 16 | the keys, sealed, and tag |
//!
//! The keys, until the end: id (16), owner (1: 0 product, 1 tenant, then 2 + n), microseconds since 1970 at which it was made (8),
//! key (32).
//!
//! Without a passphrase the sealing key follows from the salt alone: that finds altered files and locks nothing; the file's
//! permissions do.

use custody_types::{SensitiveText, Timestamp};

use super::{
    error::KeyFileError,
    key_file::{FileKey, KeyFile, KeyOwner},
    passphrase::PassphraseCost,
};
use crate::{
    entropy::{Entropy, draw},
    error::FormatError,
    one_use::{OneUse, Tail, Use},
    secret::{SecretBytes, SecretKey},
    wire::{Reader, put_field},
};

const MAGIC: &[u8; 4] = b"CKEY";
const VERSION: u8 = 1;
const UNLOCKED: u8 = 0;
const BY_PASSPHRASE: u8 = 1;
const PREFIX_BYTES: usize = 34;
/// More than any key takes: id, owner with the longest tenant, time, key.
const KEY_BYTES: usize = 16 + 3 + 128 + 8 + 32;

impl KeyFile {
    /// The file's bytes, locked by a passphrase.
    ///
    /// # Errors
    /// When there is no randomness, or the cost is out of bounds.
    pub fn lock(&self, passphrase: &SensitiveText, cost: PassphraseCost, entropy: &mut dyn Entropy) -> Result<Vec<u8>, KeyFileError> {
        let salt = draw(entropy)?;
        let numbers = [cost.memory_kib, cost.passes, cost.lanes];
        self.seal(&cost.derive(passphrase, &salt)?, &prefix(BY_PASSPHRASE, numbers, &salt))
    }

    /// The file's bytes without a passphrase: whoever reads the file has the keys.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn encode_unlocked(&self, entropy: &mut dyn Entropy) -> Result<Vec<u8>, KeyFileError> {
        let salt = draw(entropy)?;
        self.seal(&unlocked_key(&salt), &prefix(UNLOCKED, [0; 3], &salt))
    }

    /// Opens a file's bytes.
    ///
    /// # Errors
    /// When the bytes are not of the format or were altered, or the passphrase is missing, wrong or out of place.
    pub fn unlock(bytes: &[u8], passphrase: Option<&SensitiveText>) -> Result<Self, KeyFileError> {
        let mut reader = Reader::new(bytes);
        reader.head(MAGIC, VERSION)?;
        let lock = reader.byte()?;
        let cost = PassphraseCost { memory_kib: reader.u32()?, passes: reader.u32()?, lanes: reader.u32()? };
        let salt = reader.array()?;
        let prefix = bytes.get(..PREFIX_BYTES).ok_or(FormatError::Malformed)?;
        let tail = Tail::read(reader)?;
        let key = match (lock, passphrase) {
            (UNLOCKED, None) => unlocked_key(&salt),
            (UNLOCKED, Some(_)) => return Err(KeyFileError::PassphraseNotNeeded),
            (BY_PASSPHRASE, Some(passphrase)) => cost.derive(passphrase, &salt)?,
            (BY_PASSPHRASE, None) => return Err(KeyFileError::PassphraseNeeded),
            _ => return Err(FormatError::Malformed.into()),
        };
        let opened = OneUse::new(&key, Use::KeyFile, prefix, &[]).open(&tail);
        let keys = opened.map_err(|_| KeyFileError::NotAuthentic)?;
        read_keys(&keys).map_err(KeyFileError::from)
    }

    fn seal(&self, key: &SecretKey, prefix: &[u8]) -> Result<Vec<u8>, KeyFileError> {
        let mut keys = Vec::with_capacity(self.keys().len().saturating_mul(KEY_BYTES));
        self.keys().iter().for_each(|key| write_key(&mut keys, key));
        let keys = SecretBytes::new(keys);
        Ok(OneUse::new(key, Use::KeyFile, prefix, &[]).seal(prefix, &[], keys.expose())?)
    }
}

fn prefix(lock: u8, [memory_kib, passes, lanes]: [u32; 3], salt: &[u8; 16]) -> Vec<u8> {
    let (memory_kib, passes, lanes) = (memory_kib.to_be_bytes(), passes.to_be_bytes(), lanes.to_be_bytes());
    [MAGIC.as_slice(), &[VERSION, lock], &memory_kib, &passes, &lanes, salt].concat()
}

fn unlocked_key(salt: &[u8; 16]) -> SecretKey {
    let mut key = SecretKey::zeroed();
    key.bytes_mut().iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
    key
}

fn write_key(out: &mut Vec<u8>, key: &FileKey) {
    out.extend_from_slice(&key.id);
    match &key.owner {
        KeyOwner::Product => out.push(0),
        KeyOwner::Tenant(tenant) => {
            out.push(1);
            put_field(out, tenant.as_str().as_bytes());
        }
    }
    out.extend_from_slice(&key.made.micros().to_be_bytes());
    out.extend_from_slice(key.secret.expose());
}

fn read_keys(bytes: &SecretBytes) -> Result<KeyFile, FormatError> {
    let mut reader = Reader::new(bytes.expose());
    let mut keys = Vec::new();
    while !reader.is_empty() {
        let id = reader.array()?;
        let owner = match reader.byte()? {
            0 => KeyOwner::Product,
            1 => KeyOwner::Tenant(reader.label()?),
            _ => return Err(FormatError::Malformed),
        };
        let made = Timestamp::from_micros(reader.i64()?);
        let secret = SecretKey::from_slice(reader.take(32)?).ok_or(FormatError::Malformed)?;
        keys.push(FileKey { id, owner, made, secret });
    }
    Ok(KeyFile::from_keys(keys))
}
