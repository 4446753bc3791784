//! From the office journal to the topic of events.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use custody_log::{
    FileDisk, Journal,
    kafka::{KafkaConfig, Shipper, ShipperConfig, ShipperMonitor},
};
use custody_types::LogPosition;
use tokio::{sync::watch, task::JoinHandle};

use super::{CONSUMER, HandedOn, RECORD_BYTES};
use crate::deployment::Deployment;

/// Which log takes the records, and how long a command waits for it at its end.
#[derive(Debug, Clone)]
pub struct ShipTo {
    pub(super) kafka: KafkaConfig,
    pub(super) topic: String,
    pub(super) grace: Duration,
}

/// A shipper at work.
pub struct Outlet {
    stop: watch::Sender<bool>,
    monitor: ShipperMonitor,
    task: JoinHandle<()>,
    grace: Duration,
}

impl ShipTo {
    /// A deployment's topic of events.
    pub fn of(deployment: &Deployment) -> Self {
        let log = &deployment.log;
        Self { kafka: log.kafka.clone(), topic: log.topic.name.clone(), grace: deployment.office.grace }
    }
}

impl Outlet {
    /// Ships from now on, also what an earlier command left.
    pub fn start(to: &ShipTo, journal: &Journal, folder: &Path) -> Result<Self> {
        // Waiting is done here, by the acknowledged position; a stop then ends it at once.
        let config = ShipperConfig { grace: Duration::ZERO, ..ShipperConfig::new(to.topic.clone(), RECORD_BYTES) };
        let disk = Arc::new(FileDisk::open(folder)?);
        let truncating = journal.clone();
        let floor = move |place: LogPosition| truncating.set_floor(CONSUMER, place);
        let shipper = Shipper::open(to.kafka.clone(), config, journal.reader(LogPosition::START), disk, floor)?;
        let (stop, stopped) = watch::channel(false);
        let monitor = shipper.monitor();
        let task = tokio::spawn(async move {
            if let Err(error) = shipper.run(stopped).await {
                tracing::error!(%error, "the office journal is not shipped; its records are kept");
            }
        });
        Ok(Self { stop, monitor, task, grace: to.grace })
    }

    /// Waits until the log has everything, within the grace, and ends.
    pub async fn finish(self, journal: &Journal) -> HandedOn {
        let end = journal.stats().durable;
        let mut acked = self.monitor.acked();
        let taken = tokio::time::timeout(self.grace, acked.wait_for(|acked| *acked >= end)).await.is_ok_and(|seen| seen.is_ok());
        if !taken {
            let left = self.monitor.stats().lag_records;
            tracing::warn!(records = left, "the log is away; what it did not take is kept and goes with the next command");
        }
        self.stop.send_replace(true);
        let _ = self.task.await;
        if taken { HandedOn::Everything } else { HandedOn::NotAll }
    }
}
