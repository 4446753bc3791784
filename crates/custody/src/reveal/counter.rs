//! Where people ask, over the command line or HTTP: who they are, and a desk over the parts of this place.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use custody_event::{Access, Envelope, Kind};
use custody_gateway::{SystemClock, SystemIds, workspace::Workspace};
use custody_keeper::reveal::{
    Asker, DeskParts, Evidence, Governance, PortError, RevealDesk, Terms, VaultPapers, VaultTexts, record_unidentified,
};
use custody_lake::{LakeReader, LakeRoot};
use custody_policy::{PolicySet, PrincipalFacts};
use custody_types::{Clock, Environment, RequestId, SensitiveText, Text};
use tokio::sync::OnceCell;

use super::RevealPlace;
use crate::{
    deployment::Vault,
    office::{self, Office},
};

/// What every reveal of this process shares.
pub struct RevealCounter {
    workspace: Arc<Workspace>,
    office: Arc<Office>,
    lake: LakeRoot,
    vault: Vault,
    desk: OnceCell<RevealDesk>,
}

/// Whether a key is known here.
pub enum Identified {
    /// Whose it is.
    Known(Box<Asker>),
    /// Nobody's; the attempt is recorded.
    Unknown,
}

impl RevealCounter {
    /// Reads the workspace and takes the office journal, in this order: where there is no workspace nothing is made. Lake and vault are
    /// opened with the desk: that they are away is an attempt's end, and recorded.
    pub async fn open(place: &RevealPlace, holder: &str) -> Result<Self> {
        let workspace = Arc::new(Workspace::load(&place.workspace)?);
        let office = Arc::new(Office::open(&place.office, holder).await?);
        Ok(Self { workspace, office, lake: place.lake.clone(), vault: place.vault.clone(), desk: OnceCell::new() })
    }

    /// Whose key it is.
    pub async fn identify(&self, key: &SensitiveText, action: &str, request: Option<RequestId>) -> Result<Identified, PortError> {
        let Some(found) = self.workspace.keys.find(key.expose()) else {
            let envelope = office::envelope(&self.workspace);
            record_unidentified(&OfficeEvidence(Arc::clone(&self.office)), envelope, action, request).await?;
            return Ok(Identified::Unknown);
        };
        let record = &found.record;
        let facts = PrincipalFacts {
            tenant: record.tenant.clone(),
            principal: record.principal.clone(),
            kind: record.kind,
            groups: record.groups.clone(),
        };
        let asker = Asker { facts, policy: found.policy.clone(), api_key_id: Text::from(record.id.as_str()) };
        Ok(Identified::Known(Box::new(asker)))
    }

    /// The desk over lake and vault. Where they can't be used, the attempt is recorded as denied.
    pub async fn desk(&self, action: &str, asker: &Asker, request: Option<RequestId>) -> Result<&RevealDesk> {
        match self.desk.get_or_try_init(|| self.open_desk()).await {
            Ok(desk) => Ok(desk),
            Err(error) => {
                self.record_unavailable(action, asker, request).await?;
                Err(error)
            }
        }
    }

    async fn open_desk(&self) -> Result<RevealDesk> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let lake = LakeReader::open(&self.lake).await.context("the lake cannot be read")?;
        // Made where there is none: also who asks for what was never kept is answered and recorded like any other.
        let vault = self.vault.open(&clock).await?;
        let parts = DeskParts {
            governance: Arc::new(InWorkspace(Arc::clone(&self.workspace))),
            texts: Arc::new(VaultTexts::new(lake, &vault.objects, Arc::clone(&vault.units))),
            papers: Arc::new(VaultPapers::new(Arc::clone(&vault.objects))),
            evidence: Arc::new(OfficeEvidence(Arc::clone(&self.office))),
            redactor: custody_redact::standard().context("the redactor of reasons cannot be made")?,
            envelope: office::envelope(&self.workspace),
            clock,
            ids: Arc::new(SystemIds),
        };
        Ok(RevealDesk::new(parts))
    }

    async fn record_unavailable(&self, action: &str, asker: &Asker, request: Option<RequestId>) -> Result<()> {
        let envelope = Envelope {
            request_id: request.map(|request| Text::from(request.to_string())),
            tenant: asker.facts.tenant.text(),
            principal: asker.facts.principal.text(),
            api_key_id: Some(Text::clone(&asker.api_key_id)),
            ..office::envelope(&self.workspace)
        };
        let code = Some(Text::from("reveal_unavailable"));
        let access = Access { action: Text::from(action), decision: Text::from("deny"), code, ..Access::default() };
        Ok(self.office.record(envelope, Kind::Access(access)).await?)
    }

    /// Closes the office journal, once nobody asks any more.
    pub async fn close(self) {
        // The desk holds the office too.
        drop(self.desk);
        if let Some(office) = Arc::into_inner(self.office) {
            office.close().await;
        }
    }
}

struct InWorkspace(Arc<Workspace>);

impl Governance for InWorkspace {
    fn policies(&self) -> &PolicySet {
        &self.0.policies
    }

    fn environment(&self) -> &Environment {
        self.0.environment()
    }

    fn terms(&self, handling_rule: &str) -> Option<Terms> {
        let rule = &self.0.handling.labelled(handling_rule)?.reveal;
        Some(Terms { groups: rule.groups.clone(), second_person: rule.second_person, per_hour: rule.per_hour })
    }
}

struct OfficeEvidence(Arc<Office>);

#[async_trait]
impl Evidence for OfficeEvidence {
    async fn record(&self, envelope: Envelope, access: Access) -> Result<(), PortError> {
        self.0.record(envelope, Kind::Access(access)).await.map_err(|error| PortError::of(&error))
    }
}
