//! What forgetting works with: lake, vault, workspace and office journal that belong together.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use custody_event::Envelope;
use custody_gateway::{SystemClock, SystemIds, workspace::Workspace};
use custody_keeper::{
    erasure::{Erasure, ErasureParts},
    forgetting::{Evidence, LakeTexts, TenantKeys, VaultObjects},
    hold::Hold,
    retention::{Retention, RetentionParts, StreamRetention},
};
use custody_lake::LakeRoot;
use custody_types::{Clock, IdSource, PersonPseudonym, TenantId};
use custody_vault::{CacheLimits, Documents};

use super::{
    evidence::{OfficeEvidence, Questions},
    parked::AsIngestWrites,
};
use crate::{
    deployment::Deployment,
    hash_key::{self, HASH_KEY},
    lake::PlaceArgs,
    office,
    reveal::RevealPlace,
    terminal::say,
    vault_parts::VaultParts,
};

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
        Self::open(&RevealPlace::of(place)?, questions(place)).await
    }

    /// The same for who only looks, or forgets: nothing where no text was ever kept, and then no vault is made.
    pub async fn existing(place: &PlaceArgs) -> Result<Option<Self>> {
        let (questions, place) = (questions(place), RevealPlace::of(place)?);
        let envelope = office::envelope(&Workspace::load(&place.workspace)?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let vault = place.vault.open_existing(&clock).await?;
        Ok(vault.map(|vault| Self::over(&place, questions, envelope, vault, clock)))
    }

    /// At a place.
    pub async fn open(place: &RevealPlace, questions: Questions) -> Result<Self> {
        let envelope = office::envelope(&Workspace::load(&place.workspace)?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let vault = place.vault.open(&clock).await?;
        Ok(Self::over(place, questions, envelope, vault, clock))
    }

    fn over(place: &RevealPlace, questions: Questions, envelope: Envelope, vault: VaultParts, clock: Arc<dyn Clock>) -> Self {
        let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
        let stream = StreamRetention::new(place.vault.window, place.vault.content_retention);
        let evidence = Arc::new(OfficeEvidence { office: place.office.clone(), envelope, questions });
        Self { vault, evidence, clock, ids, lake: place.lake.clone(), stream, longest_put: place.vault.root.longest_put() }
    }

    async fn table(&self) -> Result<Arc<LakeTexts>> {
        let texts = LakeTexts::open(self.lake.clone(), Arc::clone(&self.clock), Arc::clone(&self.ids)).await;
        texts.map(Arc::new).context("the lake cannot be read")
    }

    fn objects(&self) -> Arc<VaultObjects> {
        let VaultParts { objects, edge, units, pseudonyms, .. } = &self.vault;
        let (units, pseudonyms) = (Arc::clone(units), Arc::clone(pseudonyms));
        Arc::new(VaultObjects::new(Arc::clone(objects), edge.clone(), units, pseudonyms, Arc::new(AsIngestWrites)))
    }

    fn evidence(&self) -> Arc<dyn Evidence> {
        Arc::clone(&self.evidence) as Arc<dyn Evidence>
    }

    /// Expiry over these parts.
    pub async fn retention(&self, actor: &'static str) -> Result<Retention> {
        Ok(Retention::new(RetentionParts {
            vault: self.objects(),
            table: self.table().await?,
            evidence: self.evidence(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            stream: self.stream,
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

    /// The pseudonym of a person by the name that callers give as `user`. `file` is the key of keyed hashes, where it is not in its
    /// place on this machine. A key that is not the gateways' own would find nobody, or a part of what is kept, and is refused.
    pub async fn pseudonym(&self, place: &PlaceArgs, file: Option<&Path>, tenant: &TenantId, user: &str) -> Result<PersonPseudonym> {
        let file = file.map_or_else(|| hash_key(place), |file| Ok(file.to_owned()))?;
        hash_key::compare(&self.vault.objects, &file).await.context("--user")?;
        custody_gateway::pseudonym(&file, tenant, user).with_context(|| format!("--user: `{}`", file.display()))
    }
}

/// The answer where no text was ever kept.
pub fn nothing_kept() -> ExitCode {
    say("no text was ever kept here");
    ExitCode::SUCCESS
}

fn questions(place: &PlaceArgs) -> Questions {
    match &place.config {
        Some(file) => Questions::Deployment(file.clone()),
        None => Questions::Folder(place.data_dir.clone()),
    }
}

fn hash_key(place: &PlaceArgs) -> Result<PathBuf> {
    let Some(file) = &place.config else { return Ok(place.data_dir.join(HASH_KEY)) };
    let gateway = Deployment::load(file)?.gateway;
    Ok(gateway.hash_key_file(&gateway.data_dir))
}
