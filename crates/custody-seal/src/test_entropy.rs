//! Randomness that a test can replay.

use sha2::{Digest, Sha256};

use crate::entropy::{Entropy, NoEntropyError};

/// SHA-256 of a seed and a counter.
pub(crate) struct SeededEntropy {
    seed: u64,
    drawn: u64,
}

impl SeededEntropy {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
        for chunk in bytes.chunks_mut(32) {
            self.drawn += 1;
            let block = Sha256::digest([self.seed.to_be_bytes(), self.drawn.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source that has nothing to give.
pub(crate) struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), NoEntropyError> {
        Err(NoEntropyError)
    }
}
