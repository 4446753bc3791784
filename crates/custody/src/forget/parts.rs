//! What forgetting works with: lake, vault, workspace and office journal that belong together.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use custody_gateway::{SystemClock, SystemIds, workspace::Workspace};
use custody_keeper::{
    erasure::{Erasure, ErasureParts},
    forgetting::{Evidence, LakeTexts, TenantKeys, VaultObjects},
    hold::Hold,
    retention::{Retention, RetentionParts, StreamRetention, Unread},
};
use custody_lake::LakeRoot;
use custody_types::{Clock, IdSource};
use custody_vault::{CacheLimits, Documents};

use super::{
    evidence::{OfficeEvidence, Questions},
    parked::AsIngestWrites,
};
use crate::{deployment::Deployment, lake::PlaceArgs, office, reveal::RevealPlace, vault_parts::VaultParts};

/// Opened parts.
pub struct Keeping {
    pub vault: VaultParts,
    pub evidence: Arc<OfficeEvidence>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    lake: LakeRoot,
    stream: StreamRetention,
    longest_put: Duration,
}

impl Keeping {
    /// Where the arguments of a command point.
    pub async fn of(place: &PlaceArgs) -> Result<Self> {
        let questions = match &place.config {
            Some(file) => Questions::Deployment(file.clone()),
            None => Questions::Folder(place.data_dir.clone()),
        };
        Self::open(&RevealPlace::of(place)?, questions).await
    }

    /// At a place.
    pub async fn open(place: &RevealPlace, questions: Questions) -> Result<Self> {
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
        let envelope = office::envelope(&Workspace::load(&place.workspace)?);
        let vault = place.vault.open(&clock).await?;
        let stream = StreamRetention::new(place.vault.window, place.vault.content_retention);
        let evidence = Arc::new(OfficeEvidence { office: place.office.clone(), envelope, questions });
        Ok(Self { vault, evidence, clock, ids, lake: place.lake.clone(), stream, longest_put: place.vault.root.longest_put() })
    }

    async fn table(&self) -> Result<Arc<LakeTexts>> {
        let texts = LakeTexts::open(self.lake.clone(), Arc::clone(&self.clock), Arc::clone(&self.ids)).await;
        texts.map(Arc::new).context("the lake cannot be read")
    }

    fn objects(&self) -> Arc<VaultObjects> {
        let VaultParts { objects, edge, units, .. } = &self.vault;
        Arc::new(VaultObjects::new(Arc::clone(objects), edge.clone(), Arc::clone(units), Arc::new(AsIngestWrites)))
    }

    fn evidence(&self) -> Arc<dyn Evidence> {
        Arc::clone(&self.evidence) as Arc<dyn Evidence>
    }

    /// Expiry over these parts.
    pub async fn retention(&self, actor: &'static str, unread: Unread) -> Result<Retention> {
        Ok(Retention::new(RetentionParts {
            vault: self.objects(),
            table: self.table().await?,
            evidence: self.evidence(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            stream: self.stream,
            unread,
            actor,
        }))
    }

    /// Erasure over these parts.
    pub async fn erasure(&self, delete_kms_key_in_days: Option<u8>) -> Result<Erasure> {
        let (objects, keys) = (Arc::clone(&self.vault.objects), Arc::clone(&self.vault.keys));
        let wrapping = TenantKeys::new(objects, keys, delete_kms_key_in_days, self.longest_put);
        Ok(Erasure::new(ErasureParts {
            vault: self.objects(),
            table: self.table().await?,
            wrapping: Arc::new(wrapping),
            evidence: self.evidence(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            stream: self.stream,
            key_cache_seconds: CacheLimits::default().age.as_secs(),
        }))
    }

    /// The legal holds.
    pub fn holds(&self) -> Documents<Hold> {
        Documents::new(Arc::clone(&self.vault.objects))
    }
}

/// The deployment's key of keyed hashes, where it is on this machine.
pub fn hash_key(place: &PlaceArgs) -> Result<PathBuf> {
    let folder = match &place.config {
        Some(file) => Deployment::load(file)?.gateway.data_dir,
        None => place.data_dir.clone(),
    };
    Ok(folder.join("hash.key"))
}
