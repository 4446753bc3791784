//! What every part of the vault is opened from: a deployment file's `[vault]`, or the folder of `custody up`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use custody_gateway::{read_secret, workspace::SecretReference};
use custody_seal::{edge::EdgeWindow, wrap::KeyWrapper};
use custody_types::Clock;
use custody_vault::{
    CacheLimits, EdgeKeys, KeyCalls, KeyProvider, KeyService, Objects, PseudonymKeys, UnitKeys, VaultRoot, open_objects, open_wrapper,
};

use crate::{
    deployment::{Deployment, OVERLAP_MINUTES, RETENTION_HOURS, Vault, VaultKeys},
    figures::{Figures, Kind, count},
};

/// Locks the key file of `custody up`, where it is set.
const PASSPHRASE: &str = "CUSTODY_VAULT_PASSPHRASE";

/// An open vault, for those who open, seal and forget.
#[derive(Debug, Clone)]
pub struct VaultParts {
    /// Everything that stands in it.
    pub objects: Arc<dyn Objects>,
    /// Who wraps its keys.
    pub keys: Arc<dyn KeyProvider>,
    /// The keys of the days.
    pub edge: EdgeKeys,
    /// The keys of the units of forgetting.
    pub units: Arc<UnitKeys>,
    /// The keys of the tenants' pseudonyms.
    pub pseudonyms: Arc<PseudonymKeys>,
}

/// Which vault a command means.
#[derive(Debug, Clone, Args)]
pub struct VaultArgs {
    /// The deployment file whose vault is meant.
    #[arg(long, value_name = "FILE", env = "CUSTODY_DEPLOYMENT")]
    pub config: Option<PathBuf>,
    /// Folder of `custody up`, where there is no deployment file.
    #[arg(long, value_name = "FOLDER", env = "CUSTODY_DATA_DIR", default_value = "custody-data")]
    pub data_dir: PathBuf,
}

impl VaultArgs {
    /// The vault that is meant, which must be there: looking at one makes none.
    pub fn vault(&self) -> Result<Vault> {
        let vault = self.meant()?;
        if let VaultKeys::File { path, .. } = &vault.keys
            && !path.exists()
        {
            anyhow::bail!("no key file `{}`: a vault is made by the first start of `custody up` or `custody ingest`", path.display());
        }
        Ok(vault)
    }

    fn meant(&self) -> Result<Vault> {
        match &self.config {
            Some(file) => {
                let vault = Deployment::load(file)?.vault;
                vault.with_context(|| format!("`{}` has no [vault]: no text is kept there", file.display()))
            }
            None => Ok(Vault::in_folder(&self.data_dir)),
        }
    }
}

impl Vault {
    /// The vault of `custody up`: `vault/` and `vault.key` in the data folder.
    pub fn in_folder(data_dir: &Path) -> Self {
        let content_retention = Duration::from_secs(3600 * RETENTION_HOURS);
        let passphrase_env = std::env::var_os(PASSPHRASE).map(|_| PASSPHRASE.to_owned());
        Self {
            root: VaultRoot::folder(data_dir.join("vault")),
            keys: VaultKeys::File { path: data_dir.join("vault.key"), passphrase_env },
            window: EdgeWindow::new(Duration::from_secs(60 * OVERLAP_MINUTES), content_retention),
            content_retention,
        }
    }

    /// Opens store and key service, for those who open, seal and forget.
    pub async fn open(&self, clock: &Arc<dyn Clock>) -> Result<VaultParts> {
        let objects = self.objects().await?;
        self.keys.refuse_lost(objects.as_ref()).await?;
        let keys = open_wrapper(&self.keys.service()?, Arc::clone(clock)).await.context("the vault's keys cannot be used")?;
        let wrapper: Arc<dyn KeyWrapper> = Arc::clone(&keys) as Arc<dyn KeyWrapper>;
        let edge = EdgeKeys::new(Arc::clone(&objects), Arc::clone(&wrapper), self.window);
        let limits = CacheLimits::default();
        let units = Arc::new(UnitKeys::new(Arc::clone(&objects), Arc::clone(&wrapper), Arc::clone(clock), limits));
        let pseudonyms = Arc::new(PseudonymKeys::new(Arc::clone(&objects), wrapper, Arc::clone(clock), limits));
        Ok(VaultParts { objects, keys, edge, units, pseudonyms })
    }

    /// The same where there is one: looking at a vault makes none. Nothing where no key was ever made.
    pub async fn open_existing(&self, clock: &Arc<dyn Clock>) -> Result<Option<VaultParts>> {
        if let VaultKeys::File { path, .. } = &self.keys
            && !path.exists()
        {
            // A store that holds keys was made with a key file, which is lost.
            if !self.root.is_missing() {
                self.keys.refuse_lost(self.objects().await?.as_ref()).await?;
            }
            return Ok(None);
        }
        self.open(clock).await.map(Some)
    }

    /// Opens the store alone, for gateways: they read public keys, write claim checks and never ask for a key.
    pub async fn objects(&self) -> Result<Arc<dyn Objects>> {
        open_objects(&self.root).await.with_context(|| format!("the vault `{}` cannot be used", self.root))
    }
}

impl VaultKeys {
    /// A key file that is not there is made at the first start; later it is lost, and another one would open nothing.
    async fn refuse_lost(&self, objects: &dyn Objects) -> Result<()> {
        let Self::File { path, .. } = self else { return Ok(()) };
        if path.exists() {
            return Ok(());
        }
        for folder in ["edge", "units", "pseudonyms"] {
            if !objects.list(&folder.parse()?).await?.is_empty() {
                anyhow::bail!(
                    "the key file `{}` is gone, but the vault holds keys that it wrapped: put it back from its backup",
                    path.display()
                );
            }
        }
        Ok(())
    }

    fn service(&self) -> Result<KeyService> {
        match self {
            Self::Kms(options) => Ok(KeyService::Kms(options.clone())),
            Self::File { path, passphrase_env } => {
                let reference = passphrase_env.clone().map(SecretReference::Environment);
                let passphrase = reference.as_ref().map(read_secret).transpose().map_err(anyhow::Error::msg)?;
                Ok(KeyService::File { path: path.clone(), passphrase })
            }
        }
    }
}

/// What the key service was asked, for `/metrics`, and how many keys of units and of pseudonyms are unwrapped.
pub fn add_key_figures(figures: &mut Figures, calls: KeyCalls, cached: [usize; 2]) {
    const NAME: &str = "custody_key_service_calls_total";
    let by_call = [("encrypt", calls.encrypt), ("decrypt", calls.decrypt), ("reencrypt", calls.reencrypt)];
    let by_call = by_call.map(|(call, value)| (format!("call=\"{call}\""), count(value)));
    figures.add_each(Kind::Counter, NAME, "Calls to the key service", by_call);
    let by_cause = [("throttled", calls.throttled), ("unavailable", calls.unavailable), ("refused", calls.refused)];
    let by_cause = by_cause.map(|(cause, value)| (format!("cause=\"{cause}\""), count(value)));
    figures.add_each(Kind::Counter, "custody_key_service_failures_total", "Calls that failed", by_cause);
    let [units, pseudonyms] = cached.map(|keys| count(u64::try_from(keys).unwrap_or(u64::MAX)));
    figures.add(Kind::Gauge, "custody_unit_keys_cached", "Unit keys unwrapped in memory", units);
    figures.add(Kind::Gauge, "custody_pseudonym_keys_cached", "Keys of pseudonyms unwrapped in memory", pseudonyms);
}
