//! The contenders, each a process of its own, so that its processor time is its own. A child ends when its standard input does,
//! that is, with this process at the latest.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{Role, gateway::ANY_KEY, nginx};

/// The Bedrock route signs each call, as in use; its upstream does not look. A token of the environment would stand in for the
/// signature.
const CREDENTIALS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AKIABENCHBENCHBENCH0"), ("AWS_SECRET_ACCESS_KEY", "bench"), ("AWS_EC2_METADATA_DISABLED", "true")];
const BEARER_TOKEN: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// A running server.
#[derive(Debug)]
pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    /// What its callers show.
    pub key: String,
    child: Child,
}

impl Server {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts this very program in another role and waits for its address.
pub fn start(name: &'static str, role: Role, upstream: Option<SocketAddr>, folder: &Path) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg(role.name()).arg("--folder").arg(folder).envs(CREDENTIALS).env_remove(BEARER_TOKEN);
    if let Some(upstream) = upstream {
        command.arg("--upstream").arg(upstream.to_string());
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {name}"))?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    let told = line.trim().strip_prefix("listening ").and_then(|told| told.split_once(' '));
    match told.and_then(|(address, key)| Some((address.parse().ok()?, key.to_owned()))) {
        Some((address, key)) => Ok(Server { name, address, key, child }),
        None => {
            let _ = child.kill();
            bail!("{name} did not start: {}", line.trim())
        }
    }
}

/// Starts nginx, where it is installed.
pub fn start_nginx(name: &'static str, upstream: SocketAddr, folder: &Path) -> Result<Option<Server>> {
    let started = nginx::start(folder, upstream)?;
    Ok(started.map(|(child, address)| Server { name, address, key: ANY_KEY.to_owned(), child }))
}
