//! `custody gateway`: governed requests in, events out to the log through the local journal.
//!
//! ```text
//! start   journal and recovery ─▶ topic checked ─▶ listener ─▶ shipper ─▶ served
//! stop    listener drained: every request has its outcome ─▶ shipper: the log takes the rest, for a while ─▶ journal closed
//! ```

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use custody_gateway::{
    Gateway, GatewayConfig, MoreMetrics, Probes, ShippedJournal, SystemClock, SystemIds, build_models, look_up_profiles, read_secret,
    workspace::Workspace,
};
use custody_log::{
    FileDisk, Journal, JournalConfig,
    kafka::{Shipper, ShipperConfig, ShipperError, ShipperMonitor, ShipperStats},
};
use custody_types::{Clock, IdSource, LogPosition};
use tokio::{sync::watch, task::JoinHandle};

use super::ServiceArgs;
use crate::{
    deployment::{Deployment, Log},
    figures::{Figures, Kind, count},
    journal,
    orphans::Orphanage,
    process::{announce_stop, control, gateway_address, gateway_url, interrupted, listen, make_private, producer},
    terminal::say,
    topics,
};

/// The consumer whose progress frees the journal's segments.
const SHIPPER: &str = "shipper";

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
    topics::refuse_unsafe_if_there(&deployment.log).await?;
    // Not before: a connection that is taken and not served keeps a caller waiting who could ask another gateway.
    let listener = listen(address).await?;
    let outlet = Outlet::start(&deployment, &journal, &folder)?;
    let orphanage =
        Orphanage { journal: journal.clone(), workspace: Arc::clone(&workspace), clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
    let orphanage = tokio::spawn(orphanage.run(outlet.stop.subscribe()));

    let recorder = Arc::new(ShippedJournal::new(journal.clone(), outlet.monitor.acked(), deployment.gateway.log_patience));
    let probes = Probes::start(&workspace, &clock, read_secret)?;
    let more_metrics = Some(probes.beside(outlet.metrics()));
    let config = GatewayConfig { producer: producer(), hash_key_file: data_dir.join("hash.key"), more_metrics, content: None };
    let models = build_models(&workspace, read_secret).await?;
    let gateway = Gateway::build(config, Arc::clone(&workspace), recorder, models, clock, ids)?;
    gateway.record_control(control("started", &workspace)).await?;
    let profiles = tokio::spawn(profiles.watch(gateway.clone(), outlet.stop.subscribe()));
    let interrupted = interrupted();
    say("custody gateway is up");
    say(&format!("  gateway   {}", gateway_url(listener.local_addr()?, &workspace.settings.server)));
    say("  ready");

    let ended = outlet.ended();
    let stop = async {
        tokio::select! {
            () = interrupted => announce_stop(),
            () = ended => tracing::error!("shipping stopped by itself; stopping too"),
        }
    };
    gateway.serve(listener, stop).await?;
    probes.stop().await;
    let noted = gateway.record_control(control("stopped", &workspace)).await;
    outlet.stop.send_replace(true);
    profiles.await.context("the task that asks about inference profiles ended abnormally")?;
    orphanage.await.context("the task that closes orphaned requests ended abnormally")?;
    let shipped = outlet.finish().await;
    journal.shutdown().await;
    noted.context("the stop could not be recorded; free disk space for the journal, or start again if its disk failed")?;
    match shipped?.lag_records {
        0 => say("stopped; the log has everything"),
        left => say(&format!("stopped; {left} records wait in the journal for the log and are shipped at the next start")),
    }
    Ok(ExitCode::SUCCESS)
}

/// The way from the journal to the log.
struct Outlet {
    stop: watch::Sender<bool>,
    monitor: ShipperMonitor,
    task: JoinHandle<Result<ShipperStats, ShipperError>>,
    ended: watch::Receiver<bool>,
}

impl Outlet {
    fn start(deployment: &Deployment, journal: &Journal, folder: &std::path::Path) -> Result<Self> {
        let Log { kafka, topic } = &deployment.log;
        let most = JournalConfig::new(journal.id()).max_record_bytes;
        let config = ShipperConfig { grace: deployment.gateway.drain, ..ShipperConfig::new(topic.name.clone(), most) };
        let disk = Arc::new(FileDisk::open(folder)?);
        let truncating = journal.clone();
        let floor = move |place: LogPosition| truncating.set_floor(SHIPPER, place);
        let shipper = Shipper::open(kafka.clone(), config, journal.reader(LogPosition::START), disk, floor)?;
        let (stop, stopped) = watch::channel(false);
        let (tell_end, ended) = watch::channel(false);
        let monitor = shipper.monitor();
        let task = tokio::spawn(async move {
            let result = shipper.run(stopped).await;
            if let Err(error) = &result {
                tracing::error!(%error, "shipping stopped");
            }
            tell_end.send_replace(true);
            result
        });
        Ok(Self { stop, monitor, task, ended })
    }

    /// Done when shipping has ended, which it does by itself only when a person must act.
    fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        async move {
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    async fn finish(self) -> Result<ShipperStats> {
        let shipped = self.task.await.context("shipping ended abnormally")?;
        shipped.context("shipping stopped; what the log has not acknowledged stays in the journal")
    }

    fn metrics(&self) -> MoreMetrics {
        let monitor = self.monitor.clone();
        Arc::new(move || {
            let mut figures = Figures::default();
            add_figures(&mut figures, &monitor.stats());
            figures.into_text()
        })
    }
}

fn add_figures(figures: &mut Figures, stats: &ShipperStats) {
    let away = stats.away_since.map_or(Duration::ZERO, |since| since.elapsed());
    figures.add(Kind::Counter, "custody_shipper_records_total", "Records that the log acknowledged", count(stats.shipped_records));
    figures.add(Kind::Counter, "custody_shipper_bytes_total", "Their payload bytes", count(stats.shipped_bytes));
    figures.add(Kind::Counter, "custody_shipper_restarts_total", "Producers that had to be replaced", count(stats.restarts));
    figures.add(Kind::Gauge, "custody_shipper_lag_records", "Durable records that the log has not acknowledged", count(stats.lag_records));
    figures.add(Kind::Gauge, "custody_shipper_away_seconds", "How long the log has been away while records wait", away.as_secs_f64());
}
