//! From a passphrase to a key: Argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Block, Params, Version};
use custody_types::SensitiveText;
use zeroize::Zeroize;

use super::error::KeyFileError;
use crate::secret::SecretKey;

/// Bounds of what a file may ask for, so that a forged one can't take the machine's memory or its day.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// What guessing one passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PassphraseCost {
    /// RFC 9106's second recommended choice: 64 MiB, three passes, four lanes.
    pub const STANDARD: Self = Self { memory_kib: 1 << 16, passes: 3, lanes: 4 };

    fn params(self) -> Result<Params, KeyFileError> {
        if self.memory_kib > MAX_MEMORY_KIB || self.passes > MAX_PASSES || self.lanes > MAX_LANES {
            return Err(KeyFileError::Cost);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| KeyFileError::Cost)
    }

    /// The key that a passphrase stands for.
    pub(super) fn derive(self, passphrase: &SensitiveText, salt: &[u8; 16]) -> Result<SecretKey, KeyFileError> {
        let params = self.params()?;
        let mut memory = vec![Block::default(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = SecretKey::zeroed();
        let done = argon2.hash_password_into_with_memory(passphrase.expose().as_bytes(), salt, key.bytes_mut(), &mut memory);
        memory.iter_mut().for_each(Zeroize::zeroize);
        done.map(|()| key).map_err(|_| KeyFileError::Cost)
    }
}
