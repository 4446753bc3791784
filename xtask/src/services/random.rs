//! Randomness for keys and ports, from the kernel.

use std::{fmt::Write, fs::File, io::Read};

use anyhow::{Context, Result};

/// As many random bytes, as hexadecimal text.
pub fn hex<const BYTES: usize>() -> Result<String> {
    let mut text = String::new();
    for byte in bytes::<BYTES>()? {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// A number below the limit.
pub fn below(limit: u16) -> Result<u16> {
    Ok(u16::from_le_bytes(bytes()?).checked_rem(limit).unwrap_or_default())
}

fn bytes<const BYTES: usize>() -> Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("cannot read /dev/urandom")?;
    Ok(bytes)
}
