//! The parts of a distributed Custody, each a service of its own: `custody gateway`, `custody ingest`, `custody query`. All read one
//! deployment file; each starts what it stands on first, and drains in the order of the data's way.

mod door;
mod gateway;
mod ingest;
mod kept_texts;
mod outlet;
mod query;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

pub use self::{
    gateway::{GatewayArgs, run as run_gateway},
    ingest::{IngestArgs, run as run_ingest},
    query::{QueryArgs, open_live, query_config, run as run_query},
};

/// What every service is told on the command line.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// The deployment file; `custody topics example` prints one with every key.
    #[arg(long, value_name = "FILE", env = "CUSTODY_DEPLOYMENT", default_value = "deployment.toml")]
    pub config: PathBuf,
    /// Where to listen, instead of what the file says; port 0 takes a free one. Loopback only, but for a gateway
    /// whose workspace names a TLS certificate.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// Refuses an address that other machines reach: the services' doors have no identities of their own.
fn on_loopback(address: SocketAddr) -> anyhow::Result<SocketAddr> {
    if address.ip().is_loopback() {
        return Ok(address);
    }
    anyhow::bail!("`{address}` is not loopback: what passes would cross the network in the clear; put a TLS proxy in front")
}
