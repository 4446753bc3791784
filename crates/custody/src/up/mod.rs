//! `custody up`: gateway, journal, ingest and lake in one process, on embedded parts.
//!
//! ```text
//! data folder     workspace/   what governs; written with examples when it is missing or empty
//!                 hash.key     key of the keyed hashes in events, made at the first start
//!                 journal/     the log
//!                 office/      the log of commands such as `custody reveal`, read beside it
//!                 content/     the journal of sealed texts, once a rule keeps any
//!                 vault/       keys, wrapped, and what is sealed; vault.key wraps them
//!                 lake/        events, dead_letters, content
//! ```
//! Started in the order of the data's way, stopped in the same order: first no new request, then every outcome durable, then the
//! last batch in the lake.

mod content;
mod pipeline;
mod texts;

use std::{
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Args;
use custody_gateway::{
    Gateway, GatewayConfig, MoreMetrics, Probes, SystemClock, SystemIds, build_models, look_up_profiles, read_secret,
    workspace::{IssuedKey, Workspace, write_example},
};
use custody_lake::LakeRoot;
use custody_types::{Clock, IdSource};
use tokio::sync::watch;

use self::content::Content;
pub use self::pipeline::{Pipeline, PipelineConfig};
use crate::{
    content::add_figures,
    deployment::Vault,
    figures::Figures,
    forget::Expiry,
    hash_key::HASH_KEY,
    office::OfficePlace,
    process::{self, control, gateway_address, gateway_url, interrupted, make_private, producer},
    reveal::RevealPlace,
    terminal::say,
};

/// Run everything in one process.
#[derive(Args, Debug)]
#[command(after_help = "The first start writes an example workspace (two tenants, three capabilities, policies, prompts, prices) into
<data-dir>/workspace and prints a key for each tenant once. Edit the files and start again to change what is allowed.

Ctrl-C stops cleanly: requests under way end with their outcome, and the lake gets the rest of the journal. Nothing is lost
by any other end: the next start closes requests that were cut off.

Exit codes: 0 stopped by Ctrl-C, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct UpArgs {
    /// Folder for everything that is kept.
    #[arg(long, value_name = "FOLDER", env = "CUSTODY_DATA_DIR", default_value = "custody-data")]
    data_dir: PathBuf,
    /// Where to listen, instead of what the workspace says; port 0 takes a free one. Loopback only, unless the workspace
    /// names a TLS certificate.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Commit to the lake at the latest when the oldest waiting record is this many seconds old.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    flush_age: u64,
    /// Commit to the lake when this many MiB are waiting.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    flush_size: usize,
    /// Most that the journal may grow to, in MiB, while the lake is away; beyond it requests are refused.
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    journal_bound: u64,
}

/// Runs until interrupted.
pub async fn run(args: UpArgs) -> Result<ExitCode> {
    make_private(&args.data_dir)?;
    let workspace_dir = args.data_dir.join("workspace");
    let issued = if is_untouched(&workspace_dir)? { write_example(&workspace_dir)? } else { Vec::new() };
    show_keys(&issued);
    let (workspace, profiles) = look_up_profiles(Workspace::load(&workspace_dir)?).await?;
    let workspace = Arc::new(workspace);
    let models = build_models(&workspace, read_secret).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let listener = process::listen(gateway_address(args.listen, &workspace.settings.server)?).await?;
    let config = PipelineConfig {
        data_dir: &args.data_dir,
        flush_age: std::time::Duration::from_secs(args.flush_age),
        flush_bytes: args.flush_size << 20,
        journal_bytes: args.journal_bound << 20,
    };
    let content = Content::start(&args.data_dir, config.journal_bytes, &workspace, &clock, &ids).await?;
    let texts = content.as_ref().map(|content| content.for_ingest(&args.data_dir, &workspace));
    let pipeline = Pipeline::start(&config, texts, &workspace, &clock, &ids).await?;
    let probes = Probes::start(&workspace, &clock, read_secret)?;
    let more_metrics = Some(probes.beside(with_content(pipeline.metrics(), content.as_ref())));
    let for_gateway = content.as_ref().map(Content::for_gateway);
    let gateway_config =
        GatewayConfig { producer: producer(), hash_key_file: args.data_dir.join(HASH_KEY), more_metrics, content: for_gateway };
    let gateway = Gateway::build(gateway_config, Arc::clone(&workspace), pipeline.recorder(), models, clock, ids)?;
    gateway.record_control(control("started", &workspace)).await?;
    let (stop_asking, stopped) = watch::channel(false);
    let profiles = tokio::spawn(profiles.watch(gateway.clone(), stopped.clone()));
    let keeps_texts = workspace.handling.captures() || args.data_dir.join("vault").exists();
    let expiry = keeps_texts.then(|| tokio::spawn(forget_what_is_due(&args.data_dir, stopped)));
    let interrupted = interrupted();
    announce(&gateway_url(listener.local_addr()?, &workspace.settings.server), &args);
    let ended = pipeline.ended();
    let stop = async {
        tokio::select! {
            () = interrupted => {}
            () = ended => tracing::error!("ingest stopped by itself; stopping too"),
        }
    };
    gateway.serve(listener, stop).await?;
    probes.stop().await;
    stop_asking.send_replace(true);
    profiles.await.context("the task that asks about inference profiles ended abnormally")?;
    if let Some(expiry) = expiry {
        expiry.await.context("the task that forgets what is due ended abnormally")?;
    }
    let noted = gateway.record_control(control("stopped", &workspace)).await;
    pipeline.stop().await?;
    if let Some(Content { side, .. }) = content {
        let journal = side.journal.clone();
        side.stop().await.context("a task of the content journal ended abnormally")?;
        journal.shutdown().await;
    }
    noted.context("the stop could not be recorded; free disk space for the journal, or start again if its disk failed")?;
    say("stopped; everything recorded is in the lake");
    Ok(ExitCode::SUCCESS)
}

/// Expiry in the background; its place is the data folder alone.
fn forget_what_is_due(data_dir: &Path, stopped: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let place = RevealPlace {
        workspace: data_dir.join("workspace"),
        lake: LakeRoot::folder(data_dir.join("lake")),
        vault: Vault::in_folder(data_dir),
        office: OfficePlace::in_folder(data_dir),
    };
    Expiry::in_folder(place, data_dir).run(Arc::new(|| true), stopped)
}

/// What the content journal has to say, behind the rest.
fn with_content(metrics: MoreMetrics, content: Option<&Content>) -> MoreMetrics {
    let Some(journal) = content.map(|content| content.side.journal.clone()) else { return metrics };
    Arc::new(move || {
        let mut figures = Figures::default();
        add_figures(&mut figures, &journal.stats());
        metrics() + &figures.into_text()
    })
}

/// Whether nobody made a workspace yet. A folder that lost one of its files is not written to: the example's keys would take the place
/// of those in use.
fn is_untouched(workspace: &Path) -> Result<bool> {
    match std::fs::read_dir(workspace) {
        Ok(mut files) => Ok(files.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", workspace.display())),
    }
}

/// At once: only hashes are kept, so a start that fails later, such as for a port in use, would lose them.
fn show_keys(issued: &[IssuedKey]) {
    for key in issued {
        say(&format!("  key       {} {} (shown once)", key.tenant, key.token.expose()));
    }
}

fn announce(url: &str, args: &UpArgs) {
    say("custody is up");
    say(&format!("  gateway   {url}"));
    say(&format!("  data      {}", args.data_dir.display()));
    say("  ready     try: curl, the openai client, or `custody sql`; Ctrl-C stops");
}
