//! `custody gateway`: governed requests in, events out to the log through the local journal.
//!
//! ```text
//! start   journals and recovery ─▶ topics checked ─▶ listener ─▶ shippers ─▶ served
//! stop    listener drained: every request has its outcome ─▶ shippers: the log takes the rest, for a while ─▶ journals closed
//! ```

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;
use custody_gateway::{
    Gateway, GatewayConfig, MoreMetrics, Probes, ShippedJournal, SystemClock, SystemIds, build_models, look_up_profiles, read_secret,
    workspace::Workspace,
};
use custody_types::{Clock, IdSource};

use super::{
    ServiceArgs,
    kept_texts::KeptTexts,
    outlet::{self, Outlet, SHIPPER},
};
use crate::{
    deployment::Deployment,
    figures::Figures,
    hash_key, journal,
    orphans::Orphanage,
    process::{announce_stop, control, gateway_address, gateway_url, interrupted, listen, make_private, producer},
    terminal::say,
    topics,
};

/// Serve governed requests, and ship their events to the log.
#[derive(Debug, Args)]
#[command(after_help = "\
A request is durable in the local journal before a model is called. Where its capability's control level says so
(custody.toml, [recording] ack_log_from), it is in Kafka as well. While Kafka is away the journal grows to its bound;
then requests are refused with 503 and Retry-After. Nothing recorded is lost: what Kafka has not acknowledged stays in
the journal and is shipped when it is back, also after a restart.

Pages: /v1/…, /healthz, /readyz, /metrics.

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 failed, 2 the arguments or the configuration are wrong.")]
pub struct GatewayArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// Folder of the journal, instead of what the file says; two gateways never share one.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Runs until interrupted.
pub async fn run(args: GatewayArgs) -> Result<ExitCode> {
    let deployment = Deployment::load(&args.service.config)?;
    let data_dir = args.data_dir.unwrap_or_else(|| deployment.gateway.data_dir.clone());
    make_private(&data_dir)?;
    let (workspace, profiles) = look_up_profiles(Workspace::load(&deployment.workspace_dir)?).await?;
    let workspace = Arc::new(workspace);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let address = gateway_address(args.service.listen, &workspace.settings.server)?;

    let folder = data_dir.join("journal");
    let (journal, report) = journal::open(&folder, deployment.gateway.journal_bytes, SHIPPER, ids.as_ref())?;
    journal::close_earlier_requests(report, &workspace, clock.as_ref(), ids.as_ref()).await?;
    topics::refuse_unsafe_if_there(&deployment.log, &deployment.log.topic).await?;
    let hash_key_file = deployment.gateway.hash_key_file(&data_dir);
    if let Some(vault) = &deployment.vault {
        hash_key::settle_gateway(vault, &hash_key_file, &data_dir).await?;
    }
    let texts = KeptTexts::start(&deployment, &workspace, &data_dir, &clock, &ids).await?;
    // Not before: a connection that is taken and not served keeps a caller waiting who could ask another gateway.
    let listener = listen(address).await?;
    let outlet = Outlet::start(&deployment, &deployment.log.topic, &journal, &folder)?;
    let orphanage =
        Orphanage { journal: journal.clone(), workspace: Arc::clone(&workspace), clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
    let orphanage = tokio::spawn(orphanage.run(outlet.stop.subscribe()));

    let recorder = Arc::new(ShippedJournal::new(journal.clone(), outlet.monitor.acked(), deployment.gateway.log_patience));
    let probes = Probes::start(&workspace, &clock, read_secret)?;
    let more_metrics = Some(probes.beside(metrics(&outlet, texts.as_ref())));
    let content = texts.as_ref().map(|texts| texts.for_gateway(&deployment));
    let config = GatewayConfig { producer: producer(), hash_key_file, more_metrics, content };
    let models = build_models(&workspace, read_secret).await?;
    let gateway = Gateway::build(config, Arc::clone(&workspace), recorder, models, clock, ids)?;
    gateway.record_control(control("started", &workspace)).await?;
    let profiles = tokio::spawn(profiles.watch(gateway.clone(), outlet.stop.subscribe()));
    let interrupted = interrupted();
    say("custody gateway is up");
    say(&format!("  gateway   {}", gateway_url(listener.local_addr()?, &workspace.settings.server)));
    say("  ready");

    let ended = [Some(&outlet), texts.as_ref().map(|texts| &texts.outlet)].into_iter().flatten().map(Outlet::ended).map(Box::pin);
    let ended = futures::future::select_all(ended.collect::<Vec<_>>());
    let stop = async {
        tokio::select! {
            () = interrupted => announce_stop(),
            _ = ended => tracing::error!("shipping stopped by itself; stopping too"),
        }
    };
    gateway.serve(listener, stop).await?;
    probes.stop().await;
    let noted = gateway.record_control(control("stopped", &workspace)).await;
    outlet.stop.send_replace(true);
    profiles.await.context("the task that asks about inference profiles ended abnormally")?;
    orphanage.await.context("the task that closes orphaned requests ended abnormally")?;
    let shipped = outlet.finish().await;
    let waiting_texts = stop_texts(texts).await;
    journal.shutdown().await;
    noted.context("the stop could not be recorded; free disk space for the journal, or start again if its disk failed")?;
    match shipped?.lag_records + waiting_texts? {
        0 => say("stopped; the log has everything"),
        left => say(&format!("stopped; {left} records wait in the journal for the log and are shipped at the next start")),
    }
    Ok(ExitCode::SUCCESS)
}

async fn stop_texts(texts: Option<KeptTexts>) -> Result<u64> {
    match texts {
        Some(texts) => texts.stop().await.context("the content journal could not be shipped to its end"),
        None => Ok(0),
    }
}

fn metrics(outlet: &Outlet, texts: Option<&KeptTexts>) -> MoreMetrics {
    let (monitor, of_texts) = (outlet.monitor.clone(), texts.map(KeptTexts::figures));
    Arc::new(move || {
        let mut figures = Figures::default();
        outlet::add_figures(&mut figures, "custody_shipper", &monitor.stats());
        if let Some(add) = &of_texts {
            add(&mut figures);
        }
        figures.into_text()
    })
}
