//! The gateway in a process of its own: the example workspace with routes to the upstream, all of the flow in force.

mod keeping;
mod recorder;
mod workspace;

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Result;
use custody_gateway::{Gateway, GatewayConfig, Recorder, SystemClock, SystemIds, build_models, read_secret};
use custody_types::Clock;
use tokio::net::TcpListener;

use self::recorder::{Unrecorded, durable};
use super::Role;

pub use self::workspace::{OVER_BEDROCK, OVER_OPENAI, Way};

/// As long as a key, for contenders that want none.
pub const ANY_KEY: &str = "ck_0000000000000000_0000000000000000000000000000000000000000000";

/// `role` is one of the gateway's.
pub async fn serve(folder: &Path, upstream: SocketAddr, role: Role) -> Result<()> {
    let folder = folder.join(role.name());
    let (workspace, key) = workspace::write(&folder.join("workspace"), upstream, role == Role::Keeping)?;
    let models = build_models(&workspace, read_secret).await?;
    let recorder: Arc<dyn Recorder> = if role == Role::Unrecorded { Arc::new(Unrecorded) } else { durable(&folder.join("journal"), None)? };
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let config = GatewayConfig {
        producer: "custody-bench/0.1.0".to_owned(),
        hash_key_file: folder.join("hash.key"),
        more_metrics: None,
        content: (role == Role::Keeping).then(|| keeping::outlet(&folder.join("content"), clock.now())).transpose()?,
    };
    let gateway = Gateway::build(config, Arc::new(workspace), recorder, models, clock, ids)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    super::announce(listener.local_addr()?, Some(&key));
    gateway.serve(listener, std::future::pending()).await?;
    Ok(())
}
