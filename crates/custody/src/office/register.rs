//! What a command or service does to keys is evidence: a `control` event each, through the office journal.

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_event::{Control, Envelope, Kind};
use custody_gateway::workspace::Workspace;
use custody_ingest::content::KeyWitness;
use custody_seal::edge::EdgeDay;
use custody_types::Text;

use super::{Office, OfficePlace, envelope};

/// Where it is recorded, and by whom.
#[derive(Debug, Clone)]
pub struct Register {
    office: OfficePlace,
    envelope: Envelope,
    holder: &'static str,
    actor: &'static str,
}

impl Register {
    /// For what a person does with this command.
    pub fn of_command(office: OfficePlace, workspace: &Workspace, holder: &'static str) -> Self {
        Self { office, envelope: envelope(workspace), holder, actor: "operator" }
    }

    /// For what a service does by itself.
    pub fn of_service(office: OfficePlace, workspace: &Workspace, holder: &'static str) -> Self {
        Self { office, envelope: envelope(workspace), holder, actor: "custody" }
    }

    /// Opens the office journal once, so that nothing is changed that could not be recorded.
    pub async fn prove(&self) -> Result<()> {
        self.office.prove(self.holder).await.context("what is done could not be recorded")
    }

    /// Records what was done.
    pub async fn record(&self, action: &str, parameters: Vec<(&str, String)>) -> Result<()> {
        let control = Control {
            action: Text::from(action),
            subject: Text::from("vault"),
            actor: Text::from(self.actor),
            parameters: parameters.into_iter().map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
            ..Control::default()
        };
        let office = Office::open(&self.office, self.holder).await?;
        let recorded = office.record(self.envelope.clone(), Kind::Control(control)).await;
        office.close().await;
        recorded.context("it is done, and the event could not be recorded")
    }
}

#[async_trait]
impl KeyWitness for Register {
    async fn destroyed(&self, days: &[EdgeDay]) {
        let shown: Vec<String> = days.iter().map(|day| custody_keeper::forgetting::shown_day(day.number())).collect();
        if let Err(error) = self.record("edge_key.destroyed", vec![("edge_days", shown.join(" "))]).await {
            tracing::error!(error = format!("{error:#}"), ?days, "keys of days are destroyed, and the event could not be recorded");
        }
    }
}
