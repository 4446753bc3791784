//! Events of forgetting: through the office journal, once.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use custody_event::{Envelope, Event, Kind};
use custody_keeper::forgetting::{Evidence, NewEvent, PortError};
use custody_query::{
    QueryOptions, SqlSession,
    output::{Format, ResultWriter},
};
use custody_types::{FaultOwner, Retry, Text};

use crate::{
    office::{HandedOn, Office, OfficePlace},
    sql::connect,
};

/// Who holds the office journal.
const HOLDER: &str = "custody";

/// Where questions to the evidence go.
#[derive(Debug, Clone)]
pub enum Questions {
    /// The data folder of `custody up`.
    Folder(PathBuf),
    /// A deployment file.
    Deployment(PathBuf),
}

/// The evidence, for who records there and asks it.
pub struct OfficeEvidence {
    pub office: OfficePlace,
    pub envelope: Envelope,
    pub questions: Questions,
}

impl Questions {
    async fn session(&self) -> Result<SqlSession> {
        match self {
            Self::Folder(folder) => Ok(connect::open(folder).await?),
            Self::Deployment(file) => connect::open_deployment(file).await,
        }
    }

    /// The first column of what a statement answers, as text.
    pub async fn first_column(&self, statement: &str) -> Result<Vec<String>> {
        let session = self.session().await?;
        let mut run = session.query(statement, &QueryOptions::default()).await?;
        let schema = run.schema();
        let name = schema.fields().first().context("the statement has no column")?.name().clone();
        let mut writer = ResultWriter::new(Format::Json, &schema, Vec::new())?;
        while let Some(batch) = run.next_batch().await? {
            writer.write(&batch)?;
        }
        let lines = writer.finish()?;
        let mut values = Vec::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line)?;
            values.extend(row.get(&name).and_then(|value| value.as_str()).map(str::to_owned));
        }
        Ok(values)
    }
}

impl OfficeEvidence {
    /// Makes an event durable on this machine, and hands it on as far as that goes.
    pub async fn note(&self, event: &NewEvent) -> Result<HandedOn> {
        let office = Office::open(&self.office, HOLDER).await?;
        let event = Event {
            event_id: Text::from(event.event_id.as_str()),
            time: event.time,
            envelope: Arc::new(self.envelope.clone()),
            kind: Kind::Control(event.control.clone()),
        };
        let recorded = office.append(&event).await;
        let handed_on = office.close().await;
        recorded?;
        Ok(handed_on)
    }

    /// Whether the office journal of this machine has an event, which the log then has too.
    async fn is_in_the_office(&self, event_id: &str) -> Result<bool> {
        let office = Office::open(&self.office, HOLDER).await?;
        let found = office.holds(event_id).await;
        let handed_on = office.close().await;
        if found? {
            taken(handed_on)?;
            return Ok(true);
        }
        Ok(false)
    }
}

fn taken(handed_on: HandedOn) -> Result<()> {
    match handed_on {
        HandedOn::Everything => Ok(()),
        HandedOn::NotAll => bail!("the log did not take the event, which is kept in the office journal; this step is done again later"),
    }
}

#[async_trait]
impl Evidence for OfficeEvidence {
    /// Done once the log has it: this machine's folder may not outlive the next step.
    async fn record(&self, event: &NewEvent) -> Result<(), PortError> {
        let handed_on = self.note(event).await.map_err(|error| failed(&error))?;
        taken(handed_on).map_err(|error| failed(&error))
    }

    async fn is_recorded(&self, event_id: &str) -> Result<bool, PortError> {
        if self.is_in_the_office(event_id).await.map_err(|error| failed(&error))? {
            return Ok(true);
        }
        // Ids are made by this program, and are UUIDs.
        let statement = format!("select event_id from events where event_id = '{event_id}'");
        self.questions.first_column(&statement).await.map(|found| !found.is_empty()).map_err(|error| failed(&error))
    }
}

fn failed(error: &anyhow::Error) -> PortError {
    PortError::new(format!("{error:#}"), FaultOwner::Operator, Retry::Never, "forget_evidence_unavailable")
}
