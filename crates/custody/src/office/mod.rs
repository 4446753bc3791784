//! The office journal: what commands do is evidence too, and is recorded beside a running `up` or service, whose own journal has one
//! writer. A command opens it, records, and closes it; where its records go from there is the deployment's way.
//!
//! ```text
//! command ──▶ office journal ──┬── data folder: `up` reads it beside its own journal (now, or at its next start); so does `custody sql`
//!   one at a time              └── deployment: shipped to the topic at the end; what the log does not take waits for the next command
//! ```

mod holder;
mod outlet;
mod register;
mod stored;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use custody_event::{Decoder, Encoder, Envelope, Event, Kind};
use custody_gateway::{SystemClock, SystemIds, workspace::Workspace};
use custody_log::{AppendError, FileDisk, Journal, JournalConfig, LogReader, OpenJournalError, OpenReport};
use custody_types::{Clock, Fault, FaultOwner, IdSource, JournalId, LogPosition, Retry, Text};

use self::outlet::Outlet;
pub use self::{outlet::ShipTo, register::Register, stored::StoredMark};
use crate::{
    deployment::Deployment,
    process::{make_private, producer},
};

/// The office journal's folder in a data folder.
const FOLDER: &str = "office";
/// The consumer whose progress frees its segments.
const CONSUMER: &str = "office";
/// A record is one event without text: a few kilobytes, with every reason and policy id at its bound.
const RECORD_BYTES: usize = 128 << 10;
const SEGMENT_BYTES: u64 = 1 << 20;
/// Read at once, to look for an event.
const READ_BYTES: usize = 1 << 20;
/// Thousands of commands that nothing took over. Then they are refused: what can't be recorded is not done.
const BOUND_BYTES: u64 = 64 << 20;
/// Commands take moments, so a second one waits for the first.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where an office journal is, and where its records go.
#[derive(Debug, Clone)]
pub struct OfficePlace {
    folder: PathBuf,
    ship_to: Option<ShipTo>,
    patience: Duration,
}

/// An office journal that this process writes.
pub struct Office {
    journal: Journal,
    outlet: Option<Outlet>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// How far what is recorded came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandedOn {
    /// The log has it.
    Everything,
    /// Some of it is in this machine's journal alone.
    NotAll,
}

/// An event is not part of the evidence; what it would have allowed must not happen.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The event does not fit its schema: a defect.
    #[error("the event cannot be written")]
    Unwritable,
    /// The journal does not take it.
    #[error(transparent)]
    Journal(#[from] AppendError),
}

impl Fault for RecordError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Unwritable => FaultOwner::Product,
            Self::Journal(error) => error.owner(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unwritable => Retry::Never,
            Self::Journal(error) => error.retry(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unwritable => "event_unwritable",
            Self::Journal(error) => error.code(),
        }
    }
}

impl OfficePlace {
    /// In the data folder of `custody up`.
    pub fn in_folder(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER), ship_to: None, patience: PATIENCE }
    }

    /// Of commands beside a deployment's services.
    pub fn in_deployment(deployment: &Deployment) -> Self {
        Self { folder: deployment.office.folder.clone(), ship_to: Some(ShipTo::of(deployment)), patience: PATIENCE }
    }

    /// Of one service, which holds it as long as it runs: a journal of its own, so that commands need not wait for it.
    pub fn of_service(deployment: &Deployment, service: &str) -> Self {
        let mut place = Self::in_deployment(deployment);
        place.folder = beside(&place.folder, service);
        place
    }

    /// Sees to it that the journal can be written, and ships what an earlier run left. Another process that has it does so.
    pub async fn prove(&self, holder: &str) -> Result<()> {
        match Office::open(self, holder).await {
            Ok(office) => {
                office.close().await;
            }
            Err(error) if matches!(error.downcast_ref(), Some(OpenJournalError::Locked)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Opens the journal; where another process has it, waits for a moment and then says who.
    async fn open_journal(&self, ids: &dyn IdSource) -> Result<(Journal, OpenReport)> {
        make_private(&self.folder)?;
        let disk =
            FileDisk::open(&self.folder).with_context(|| format!("the office journal `{}` cannot be used", self.folder.display()))?;
        let disk: Arc<FileDisk> = Arc::new(disk);
        let config = JournalConfig {
            segment_bytes: SEGMENT_BYTES,
            max_total_bytes: BOUND_BYTES,
            max_record_bytes: RECORD_BYTES,
            consumers: vec![CONSUMER.to_owned()],
            ..JournalConfig::new(JournalId::from_uuid(*ids.request_id().as_uuid()))
        };
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            match Journal::open(config.clone(), Arc::clone(&disk) as Arc<dyn custody_log::Disk>) {
                Err(OpenJournalError::Locked) if tokio::time::Instant::now() < deadline => tokio::time::sleep(LOOK_AGAIN).await,
                Err(OpenJournalError::Locked) => {
                    let holder = holder::read(&self.folder);
                    return Err(OpenJournalError::Locked)
                        .with_context(|| format!("{holder} holds the office journal; try again when it has ended"));
                }
                opened => return opened.with_context(|| format!("the office journal `{}` cannot be opened", self.folder.display())),
            }
        }
    }
}

impl Office {
    /// Opens it for one command, or for a service.
    pub async fn open(place: &OfficePlace, holder: &str) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
        let (journal, _) = place.open_journal(ids.as_ref()).await?;
        holder::write(&place.folder, holder);
        let outlet = match &place.ship_to {
            Some(log) => Some(Outlet::start(log, &journal, &place.folder)?),
            None => {
                StoredMark::of(&place.folder).free(&journal, CONSUMER);
                None
            }
        };
        Ok(Self { journal, outlet, clock, ids })
    }

    /// Makes an event durable before it returns.
    pub async fn record(&self, envelope: Envelope, kind: Kind) -> Result<(), RecordError> {
        let event_id = Text::from(self.ids.event_id().to_string());
        self.append(&Event { event_id, time: self.clock.now(), envelope: Arc::new(envelope), kind }).await
    }

    /// The same for an event that is whole already, such as one whose id was chosen before.
    pub async fn append(&self, event: &Event) -> Result<(), RecordError> {
        let bytes = Encoder::new().and_then(|mut encoder| encoder.encode(event).ok()).ok_or(RecordError::Unwritable)?;
        self.journal.append(vec![Bytes::from(bytes)]).await?;
        Ok(())
    }

    /// The events that stand in the journal. What went to the log is freed at some time, and stands there.
    pub async fn events(&self) -> Result<Vec<Event>> {
        let decoder = Decoder::new(&[]);
        let mut reader = self.journal.reader(LogPosition::START);
        let first = reader.bounds().await?.first;
        reader.seek(first);
        let mut events = Vec::new();
        loop {
            let records = reader.read(READ_BYTES, Duration::ZERO).await?;
            if records.is_empty() {
                return Ok(events);
            }
            for record in records {
                events.push(decoder.decode(&record.payload).context("an event of the office journal cannot be read")?);
            }
        }
    }

    /// Whether an event is among them.
    pub async fn holds(&self, event_id: &str) -> Result<bool> {
        Ok(self.events().await?.iter().any(|event| &*event.event_id == event_id))
    }

    /// Hands on what is recorded, as far as that goes within a moment, and frees the journal for the next command. What the log did
    /// not take is kept and goes with the next command.
    pub async fn close(self) -> HandedOn {
        let handed_on = match self.outlet {
            Some(outlet) => outlet.finish(&self.journal).await,
            // The journal is the log.
            None => HandedOn::Everything,
        };
        self.journal.shutdown().await;
        handed_on
    }
}

/// The folder of a service's own journal. A path that ends in a slash means the same folder as without.
fn beside(folder: &Path, service: &str) -> PathBuf {
    let Some(name) = folder.file_name() else { return folder.join(service) };
    let mut name = name.to_owned();
    name.push(format!("-{service}"));
    folder.with_file_name(name)
}

/// What all events of commands under one workspace have in common.
pub fn envelope(workspace: &Workspace) -> Envelope {
    Envelope {
        tenant: Text::from("platform"),
        principal: Text::from("operator"),
        environment: Text::from(workspace.environment().as_str()),
        policy_hash: workspace.policies.hash().clone(),
        config_hash: workspace.hash.clone(),
        producer: Text::from(producer()),
        ..Envelope::default()
    }
}

/// Has the office journal of a data folder there and whole, for who only reads it: a power loss may have left its mark behind its
/// records. A command that holds it has seen to that itself.
pub async fn prepare(data_dir: &Path, ids: &dyn IdSource) -> Result<PathBuf> {
    let place = OfficePlace::in_folder(data_dir);
    match place.open_journal(ids).await {
        Ok((journal, _)) => journal.shutdown().await,
        Err(error) if matches!(error.downcast_ref(), Some(OpenJournalError::Locked)) => {}
        Err(error) => return Err(error),
    }
    Ok(place.folder)
}

#[cfg(test)]
mod tests;
