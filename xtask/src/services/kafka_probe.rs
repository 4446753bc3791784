//! Asks a broker which brokers are in service. An open port is not enough: it opens before the broker may be used.
//!
//! ```text
//! request   size i32, api key i16 = 3 (metadata), version i16 = 1, correlation i32, client id i16 = -1 (none), topics i32 = 0 (none)
//! answer    size i32, correlation i32, brokers i32, then for each: id i32, host string, port i32, rack string; the rest is not read
//! string    length i16 (-1: none), bytes
//! ```

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
};

use super::ports::PROBE_PATIENCE;

const CORRELATION: i32 = 7;
/// More than any cluster here answers; a length from a stranger on the port is not believed.
const LONGEST_ANSWER: i32 = 64 * 1024;

/// The ids of the brokers in service, if a broker answers on that port.
pub fn brokers(port: u16) -> Option<Vec<i32>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PROBE_PATIENCE).ok()?;
    stream.set_read_timeout(Some(PROBE_PATIENCE)).ok()?;
    stream.write_all(&request()).ok()?;
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let size = i32::from_be_bytes(size);
    let mut answer = vec![0; usize::try_from(size).ok().filter(|_| size <= LONGEST_ANSWER)?];
    stream.read_exact(&mut answer).ok()?;
    broker_ids(&mut Fields(&answer))
}

fn request() -> Vec<u8> {
    let body = [&[0, 3, 0, 1], CORRELATION.to_be_bytes().as_slice(), &(-1_i16).to_be_bytes(), &[0; 4]].concat();
    let size = i32::try_from(body.len()).unwrap_or_default();
    [size.to_be_bytes().as_slice(), &body].concat()
}

fn broker_ids(fields: &mut Fields<'_>) -> Option<Vec<i32>> {
    if fields.number()? != CORRELATION {
        return None;
    }
    let mut ids = Vec::new();
    for _ in 0..fields.number()? {
        ids.push(fields.number()?);
        fields.skip_string()?;
        fields.number()?;
        fields.skip_string()?;
    }
    Some(ids)
}

/// The part of an answer that was not yet read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&mut self) -> Option<i32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*bytes))
    }

    fn skip_string(&mut self) -> Option<()> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        let length = i16::from_be_bytes(*bytes).max(0);
        self.0 = rest.get(usize::try_from(length).ok()?..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_read_with_and_without_a_rack() {
        let first = [&[0, 0, 0, 1, 0, 1], "h".as_bytes(), &[0, 0, 1, 1, 255, 255]].concat();
        let second = [&[0, 0, 0, 3, 0, 1], "h".as_bytes(), &[0, 0, 1, 1, 0, 2], "rr".as_bytes()].concat();
        let answer = [&[0, 0, 0, 7, 0, 0, 0, 2], first.as_slice(), &second].concat();
        assert_eq!(broker_ids(&mut Fields(&answer)), Some(vec![1, 3]));
    }

    #[test]
    fn half_an_answer_is_none() {
        assert_eq!(broker_ids(&mut Fields(&[0, 0, 0, 7, 0, 0, 0, 2, 0, 0])), None);
    }
}
