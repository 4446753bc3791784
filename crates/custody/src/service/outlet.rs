//! The way from a journal to its topic in the log.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use custody_log::{
    FileDisk, Journal, JournalConfig,
    kafka::{Shipper, ShipperConfig, ShipperError, ShipperMonitor, ShipperStats, TopicPlan},
};
use custody_types::LogPosition;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    deployment::Deployment,
    figures::{Figures, Kind, count},
};

/// The consumer whose progress frees a journal's segments.
pub const SHIPPER: &str = "shipper";

/// A running shipper.
pub struct Outlet {
    pub stop: watch::Sender<bool>,
    pub monitor: ShipperMonitor,
    task: JoinHandle<Result<ShipperStats, ShipperError>>,
    ended: watch::Receiver<bool>,
}

impl Outlet {
    /// Ships the journal in `folder` to a topic.
    pub fn start(deployment: &Deployment, topic: &TopicPlan, journal: &Journal, folder: &Path) -> Result<Self> {
        let most = JournalConfig::new(journal.id()).max_record_bytes;
        let config = ShipperConfig { grace: deployment.gateway.drain, ..ShipperConfig::new(topic.name.clone(), most) };
        let disk = Arc::new(FileDisk::open(folder)?);
        let truncating = journal.clone();
        let floor = move |place: LogPosition| truncating.set_floor(SHIPPER, place);
        let shipper = Shipper::open(deployment.log.kafka.clone(), config, journal.reader(LogPosition::START), disk, floor)?;
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
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        async move {
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    /// Waits for the end, once it was told to stop.
    pub async fn finish(self) -> Result<ShipperStats> {
        let shipped = self.task.await.context("shipping ended abnormally")?;
        shipped.context("shipping stopped; what the log has not acknowledged stays in the journal")
    }
}

/// How a shipper does; `of` begins the figures' names.
pub fn add_figures(figures: &mut Figures, of: &str, stats: &ShipperStats) {
    let away = stats.away_since.map_or(Duration::ZERO, |since| since.elapsed());
    let all = [
        (Kind::Counter, "records_total", "Records that the log acknowledged", count(stats.shipped_records)),
        (Kind::Counter, "bytes_total", "Their payload bytes", count(stats.shipped_bytes)),
        (Kind::Counter, "restarts_total", "Producers that had to be replaced", count(stats.restarts)),
        (Kind::Gauge, "lag_records", "Durable records that the log has not acknowledged", count(stats.lag_records)),
        (Kind::Gauge, "away_seconds", "How long the log has been away while records wait", away.as_secs_f64()),
    ];
    for (kind, name, help, value) in all {
        figures.add(kind, &format!("{of}_{name}"), help, value);
    }
}
