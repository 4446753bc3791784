//! Free ports on the loopback address.

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use anyhow::{Result, bail};

use super::random;

/// Below the range that Linux gives to outgoing connections: a stopped service must find its port free when it comes back.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// How long a probe waits for a connection or an answer.
pub const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// Different ports on which nobody listens now. The search starts anywhere, so that two instances seldom want the same ones.
pub fn free(wanted: usize) -> Result<Vec<u16>> {
    let start = random::below(COUNT)?;
    let mut held = Vec::new();
    for step in 0..COUNT {
        let port = FIRST + (start + step) % COUNT;
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|listener| (port, listener)));
        if held.len() == wanted {
            return Ok(held.into_iter().map(|(port, _)| port).collect());
        }
    }
    bail!("no {wanted} free ports between {FIRST} and {}", FIRST + COUNT)
}
