//! The gateway in a process of its own: the example workspace, its summaries led to the upstream, all of the flow in force.

mod recorder;

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use custody_gateway::{
    Gateway, GatewayConfig, Models, Recorder, SystemClock, SystemIds, Workspace,
    workspace::{ProviderKind, write_example},
};
use custody_model::{Model, OpenAiConfig, Simulator};
use tokio::net::TcpListener;

use self::recorder::{Unrecorded, durable};

/// What is asked for; its data class may leave for an upstream.
pub const CAPABILITY: &str = "docs.summarise";
/// As long as a key, for contenders that want none.
pub const ANY_KEY: &str = "ck_0000000000000000_0000000000000000000000000000000000000000000";

/// What of the example is changed: the one route of summaries is the upstream, and its model has a price.
const CHANGES: [(&str, &str, &str); 2] = [
    ("capabilities/docs-summarise.toml", r#"routes = ["sim.small", "local.model"]"#, r#"routes = ["local.model"]"#),
    ("custody.toml", r#"model = "local-model""#, r#"model = "openai.gpt-oss-20b""#),
];

pub async fn serve(folder: &Path, upstream: SocketAddr, is_durable: bool) -> Result<()> {
    let folder = folder.join(if is_durable { "durable" } else { "unrecorded" });
    let (workspace, key) = workspace(&folder.join("workspace"), upstream)?;
    let models = models(&workspace)?;
    let recorder: Arc<dyn Recorder> = if is_durable { durable(&folder.join("journal"))? } else { Arc::new(Unrecorded) };
    let config = GatewayConfig { producer: "custody-bench/0.1.0".to_owned(), hash_key_file: folder.join("hash.key"), more_metrics: None };
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let gateway = Gateway::build(config, Arc::new(workspace), recorder, models, clock, ids)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    super::announce(listener.local_addr()?, Some(&key));
    gateway.serve(listener, std::future::pending()).await?;
    Ok(())
}

/// The workspace, and a key that opens it.
fn workspace(folder: &Path, upstream: SocketAddr) -> Result<(Workspace, String)> {
    let issued = write_example(folder)?;
    for (file, before, after) in CHANGES {
        replace(&folder.join(file), before, after)?;
    }
    replace(&folder.join("custody.toml"), "http://127.0.0.1:8000/v1", &format!("http://{upstream}/v1"))?;
    let key = issued.first().context("the example issues no key")?.token.expose().to_owned();
    let workspace = Workspace::load(folder);
    if let Err(error) = &workspace {
        bail!("the changed example workspace is invalid: {:?}", error.mistakes());
    }
    Ok((workspace?, key))
}

fn replace(file: &Path, before: &str, after: &str) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    ensure!(text.contains(before), "`{}` of the example no longer has `{before}`", file.display());
    Ok(std::fs::write(file, text.replace(before, after))?)
}

fn models(workspace: &Workspace) -> Result<Models> {
    let mut models = Models::new();
    for (name, route) in &workspace.routes {
        let model: Arc<dyn Model> = match &route.provider {
            ProviderKind::Simulator => Arc::new(Simulator),
            ProviderKind::OpenAiCompatible(server) => Arc::new(OpenAiConfig::new(&server.base_url).build(None)?),
            ProviderKind::Bedrock(_) => bail!("the bench calls no Bedrock"),
        };
        models.insert(name.clone(), model);
    }
    Ok(models)
}
