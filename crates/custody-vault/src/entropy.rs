//! The operating system's randomness, as the sealing crate asks for it.

use custody_seal::{Entropy, NoEntropyError};

/// Draws from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
        getrandom::fill(bytes).map_err(|_| NoEntropyError)
    }
}
