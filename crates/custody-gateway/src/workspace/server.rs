//! `[server]` of `custody.toml`: where to listen, with what certificate, and the bounds of what arrives.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use custody_config::Reader;

use super::settings::millis;

const CERTIFICATE: &str = "tls_certificate_file";
const KEY: &str = "tls_key_file";
const CLIENT_CA: &str = "tls_client_ca_file";

/// The HTTP server's address and bounds.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Without them callers come in the clear, and only from this machine.
    pub tls: Option<TlsFiles>,
    /// Largest request body.
    pub max_body_bytes: u64,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a TLS handshake may take, and after it the headers.
    pub header_timeout: Duration,
    /// Most headers of a request.
    pub max_headers: u64,
    /// Most requests under way at once.
    pub max_in_flight: u64,
}

/// Where certificates and their key are, in PEM form. A relative path counts from the folder in which the program was started, as that of
/// any other secret does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// The certificate's key. Only its owner may read it.
    pub key: PathBuf,
    /// Authorities of which every client must hold a certificate; without them no client is asked for one.
    pub client_ca: Option<PathBuf>,
}

impl ServerSettings {
    /// Keys and prompts leave this machine only under TLS.
    #[must_use]
    pub fn may_listen_on(&self, address: SocketAddr) -> bool {
        self.tls.is_some() || address.ip().is_loopback()
    }
}

pub(super) fn read(reader: Reader<'_>) -> ServerSettings {
    let default = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8700);
    let settings = ServerSettings {
        listen: reader.optional_parsed("listen", "an address with a port, such as 127.0.0.1:8700").unwrap_or(default),
        tls: read_tls(&reader),
        // The largest conversation any capability takes; documents come by retrieval.
        max_body_bytes: reader.number("max_body_bytes", 1024..=(256 << 20), 4 << 20),
        // A megabyte over a slow line; a client that trickles holds a connection no longer than this.
        body_timeout: millis(&reader, "body_timeout_ms", 100, 10_000),
        header_timeout: millis(&reader, "header_timeout_ms", 100, 10_000),
        // OpenAI clients send about twenty.
        max_headers: reader.number("max_headers", 16..=1000, 100),
        // Each holds an answer in memory at most; beyond it callers are told to come back.
        max_in_flight: reader.number("max_in_flight", 1..=100_000, 4096),
    };
    if !settings.may_listen_on(settings.listen) {
        let accepted = "set tls_certificate_file and tls_key_file, or listen on a loopback address";
        reader.mistake("listen", format!("is `{}`, where keys and prompts would travel without TLS", settings.listen), accepted);
    }
    reader.finish();
    settings
}

/// Files are named here and read when the gateway is built: other commands read this workspace where no such files are.
fn read_tls(reader: &Reader<'_>) -> Option<TlsFiles> {
    let path = |key| reader.optional_parsed::<PathBuf>(key, "the path of a PEM file");
    let (certificate, key, client_ca) = (path(CERTIFICATE), path(KEY), path(CLIENT_CA));
    for (needed, needs) in [(KEY, CERTIFICATE), (CERTIFICATE, KEY), (CERTIFICATE, CLIENT_CA)] {
        if reader.has(needs) && !reader.has(needed) {
            reader.mistake(needed, format!("is missing beside `{needs}`"), "use the path of a PEM file");
        }
    }
    Some(TlsFiles { certificate: certificate?, key: key?, client_ca })
}
