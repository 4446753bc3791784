//! The operating system's randomness, as the product draws it.

use custody_seal::{Entropy, NoEntropyError};

pub struct System;

impl Entropy for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
        getrandom::fill(bytes).map_err(|_| NoEntropyError)
    }
}
