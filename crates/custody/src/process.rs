//! What every long-running command does as a process: its folder, its listener, its signals, its own start and stop as evidence.

use std::{fs::DirBuilder, net::SocketAddr, os::unix::fs::DirBuilderExt, path::Path};

use anyhow::{Context, Result};
use custody_event::Control;
use custody_gateway::workspace::Workspace;
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
