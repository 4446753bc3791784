//! The gateway in a process of its own: the example workspace with routes to the upstream, all of the flow in force.

mod recorder;
mod workspace;

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Result;
use custody_gateway::{Gateway, GatewayConfig, Recorder, SystemClock, SystemIds, build_models, read_secret};
use tokio::net::TcpListener;

use self::recorder::{Unrecorded, durable};

pub use self::workspace::{OVER_BEDROCK, OVER_OPENAI, Way};

/// As long as a key, for contenders that want none.
pub const ANY_KEY: &str = "ck_0000000000000000_0000000000000000000000000000000000000000000";

pub async fn serve(folder: &Path, upstream: SocketAddr, is_durable: bool) -> Result<()> {
    let folder = folder.join(if is_durable { "durable" } else { "unrecorded" });
    let (workspace, key) = workspace::write(&folder.join("workspace"), upstream)?;
    let models = build_models(&workspace, read_secret).await?;
    let recorder: Arc<dyn Recorder> = if is_durable { durable(&folder.join("journal"))? } else { Arc::new(Unrecorded) };
    let config = GatewayConfig {
        producer: "custody-bench/0.1.0".to_owned(),
        hash_key_file: folder.join("hash.key"),
        more_metrics: None,
        content: None,
    };
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let gateway = Gateway::build(config, Arc::new(workspace), recorder, models, clock, ids)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    super::announce(listener.local_addr()?, Some(&key));
    gateway.serve(listener, std::future::pending()).await?;
    Ok(())
}
