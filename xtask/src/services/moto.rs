//! Moto's server as AWS KMS: the protocol, real wrapping and the encryption context. It does not look at a key's state (disabled,
//! pending deletion) and takes no call for one too many; tests put AWS's rules for those in front of it.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
};

use anyhow::{Context, Result};

use super::{install, place::Place, ports::PROBE_PATIENCE, service::ServiceName, state::Service};

/// Long enough for the first line of an answer.
const ANSWER_BYTES: u64 = 64;

/// The command that runs the key service. Its keys live as long as it does.
pub fn command(place: &Place, service: &Service) -> Result<Command> {
    let folder = place.folder(ServiceName::Kms);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut moto = Command::new(install::moto(place)?);
    moto.args(["-H", "127.0.0.1", "-p", &service.main_port()?.to_string()]).current_dir(folder);
    Ok(moto)
}

/// Whether it answers.
pub fn is_healthy(service: &Service) -> Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, service.main_port()?));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PROBE_PATIENCE) else { return Ok(false) };
    stream.set_read_timeout(Some(PROBE_PATIENCE))?;
    stream.write_all(b"GET /moto-api/ HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES).read_to_string(&mut answer)?;
    Ok(answer.split_whitespace().nth(1) == Some("200"))
}
