//! What every long-running command does as a process: its folder, its listener, its signals, its own start and stop as evidence.

use std::{fs::DirBuilder, net::SocketAddr, os::unix::fs::DirBuilderExt, path::Path};

use anyhow::{Context, Result};
use custody_event::Control;
use custody_gateway::workspace::{ServerSettings, Workspace};
use tokio::{
    net::TcpListener,
    signal::{self, unix::SignalKind},
};

/// Who asked what, and at what cost, is not for every user of the machine.
pub fn make_private(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("the folder `{}` cannot be made", folder.display()))
}

/// The platform's own start and stop are part of the evidence.
pub fn control(action: &str, workspace: &Workspace) -> Control {
    Control {
        action: action.into(),
        subject: "platform".into(),
        actor: "operator".into(),
        after_hash: Some(workspace.hash.clone()),
        ..Control::default()
    }
}

/// Program and version as events name them.
pub fn producer() -> String {
    concat!("custody/", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Listens, or says what is in the way.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; another program may have the port (--listen chooses another)"))
}

/// Where the gateway listens: what was asked for, or what the workspace says; off this machine only under TLS.
pub fn gateway_address(asked: Option<SocketAddr>, server: &ServerSettings) -> Result<SocketAddr> {
    let address = asked.unwrap_or(server.listen);
    if server.may_listen_on(address) {
        return Ok(address);
    }
    anyhow::bail!(
        "`{address}` is not loopback: keys and prompts would cross the network in the clear; set tls_certificate_file and tls_key_file in \
         [server] of custody.toml"
    )
}

/// What clients are told to use.
pub fn gateway_url(address: SocketAddr, server: &ServerSettings) -> String {
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}/v1")
}

/// Said once, so that a drain of some seconds does not look like a hang.
pub fn announce_stop() {
    tracing::info!("stopping: what is under way is finished first");
}

/// Done at Ctrl-C or a termination signal. From the call on, and not only once it is awaited, a signal no longer ends the process: who says
/// that it is ready has called this before.
pub fn interrupted() -> impl Future<Output = ()> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal::unix::signal);
    async move {
        match signals {
            [Ok(mut interrupted), Ok(mut terminated)] => tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            },
            // Without a handler the signal ends the process by itself.
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use custody_gateway::workspace::TlsFiles;

    use super::*;

    const HERE: &str = "127.0.0.1:8700";
    const EVERYWHERE: &str = "0.0.0.0:8700";

    fn server(listen: &str, tls: bool) -> ServerSettings {
        let files = TlsFiles { certificate: "server.pem".into(), key: "server.key".into(), client_ca: None };
        let second = Duration::from_secs(1);
        ServerSettings {
            listen: listen.parse().unwrap(),
            tls: tls.then_some(files),
            max_body_bytes: 1024,
            body_timeout: second,
            header_timeout: second,
            max_headers: 16,
            max_in_flight: 1,
        }
    }

    #[test]
    fn the_command_line_opens_the_gateway_to_the_network_only_under_tls() {
        let everywhere = Some(EVERYWHERE.parse().unwrap());
        let refusal = gateway_address(everywhere, &server(HERE, false)).unwrap_err().to_string();
        assert!(refusal.contains("`0.0.0.0:8700` is not loopback") && refusal.contains("tls_certificate_file"), "{refusal}");
        assert!(!refusal.contains("  ") && !refusal.contains('\n'), "{refusal}");
        assert_eq!(gateway_address(everywhere, &server(HERE, true)).unwrap().to_string(), EVERYWHERE);
        assert_eq!(gateway_address(Some("[::1]:0".parse().unwrap()), &server(HERE, false)).unwrap().to_string(), "[::1]:0");
        assert_eq!(gateway_address(None, &server(EVERYWHERE, true)).unwrap().to_string(), EVERYWHERE);
        assert!(gateway_address(None, &server(EVERYWHERE, false)).is_err());
    }

    #[test]
    fn what_clients_are_told_to_use_says_whether_there_is_tls() {
        let address = HERE.parse().unwrap();
        assert_eq!(gateway_url(address, &server(HERE, false)), "http://127.0.0.1:8700/v1");
        assert_eq!(gateway_url(address, &server(HERE, true)), "https://127.0.0.1:8700/v1");
    }
}
