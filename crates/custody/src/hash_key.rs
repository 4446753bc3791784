//! One key of keyed hashes for all gateways over a vault. A person stands in texts and events under a pseudonym that this key makes, so
//! a gateway with another key would know them by another one, and who holds or erases them by name would find a part of what is kept.
//!
//! ```text
//! the first gateway   notes in the vault what tells its key from others (gateways/hash-key-check.json); the key itself never leaves it
//! every other one     compares, and does not start with another key
//! erase, hold         compare, before a name becomes a pseudonym
//! ```
//! While the store is away a gateway starts whose key was compared with it before.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};
use custody_gateway::{HashKeyError, hash_key_check};
use custody_types::Text;
use custody_vault::{Document, Documents, Objects, VaultError};
use serde::{Deserialize, Serialize};

use crate::deployment::Vault;

/// The key's file in a data folder.
pub const HASH_KEY: &str = "hash.key";

const ID: &str = "hash-key-check";
const VERSION: u32 = 1;

/// In a gateway's data folder: with which vault its key was compared.
const COMPARED: &str = "hash-key-compared";

/// What tells the gateways' key from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HashKeyCheck {
    version: u32,
    check: Text,
}

/// A key that may not be used.
#[derive(Debug, thiserror::Error)]
pub enum HashKeyTrouble {
    /// It is not the one that the gateways have.
    #[error("the hash key `{}` is not the one of the vault's other gateways, so that nobody could be held or erased by name: \
             copy their hash.key, or name it as [gateway] hash_key_file", .0.display())]
    Differs(PathBuf),
    /// A new one would differ.
    #[error("the hash key `{}` is not there, and the vault's gateways have one: copy their hash.key, or bring it back from its backup", .0.display())]
    Missing(PathBuf),
    /// Nothing to compare it with.
    #[error("no gateway has noted its hash key in the vault yet: start one, or name the person by --person")]
    NotNoted,
    /// The file cannot be used.
    #[error("`{}`", .0.display())]
    Unusable(PathBuf, #[source] HashKeyError),
    /// The vault's store cannot be asked.
    #[error("the hash key cannot be compared with that of the vault's other gateways")]
    Vault(#[from] VaultError),
}

/// Sees to it that a gateway's key is that of the others; the first one notes its own.
pub async fn settle(objects: &Arc<dyn Objects>, file: &Path) -> Result<(), HashKeyTrouble> {
    let noted = Documents::<HashKeyCheck>::new(Arc::clone(objects));
    let known = noted.get(ID).await?;
    if known.is_some() && !file.exists() {
        // One that is made now would be another, and would be in the way of the right one.
        return Err(HashKeyTrouble::Missing(file.to_owned()));
    }
    let own = check_of(file, true)?;
    let known = match known {
        Some(known) => known,
        None => match noted.put_new(ID, &own).await {
            Ok(()) => return Ok(()),
            Err(VaultError::DocumentExists { .. }) => noted.get(ID).await?.ok_or(HashKeyTrouble::NotNoted)?,
            Err(error) => return Err(error.into()),
        },
    };
    same(&own, &known, file)
}

/// The same for a gateway of a deployment, which starts also while the store is away.
pub async fn settle_gateway(vault: &Vault, file: &Path, data_dir: &Path) -> Result<()> {
    let compared = data_dir.join(COMPARED);
    let line = |own: &HashKeyCheck| format!("{} {}\n", own.check, vault.root);
    match settle(&vault.objects().await?, file).await {
        Ok(()) => {
            let noted = std::fs::write(&compared, line(&check_of(file, false)?));
            noted.unwrap_or_else(|error| tracing::warn!(%error, "that the hash key was compared could not be noted"));
            Ok(())
        }
        Err(HashKeyTrouble::Vault(error)) if error.is_passing() => {
            let before = std::fs::read_to_string(&compared).unwrap_or_default();
            if check_of(file, false).is_ok_and(|own| line(&own) == before) {
                tracing::warn!(%error, "the vault is away; the hash key was compared with its gateways' before");
                return Ok(());
            }
            bail!(HashKeyTrouble::Vault(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses a key that is not the gateways'.
pub async fn compare(objects: &Arc<dyn Objects>, file: &Path) -> Result<(), HashKeyTrouble> {
    let own = check_of(file, false)?;
    let known = Documents::<HashKeyCheck>::new(Arc::clone(objects)).get(ID).await?;
    same(&own, &known.ok_or(HashKeyTrouble::NotNoted)?, file)
}

fn check_of(file: &Path, make: bool) -> Result<HashKeyCheck, HashKeyTrouble> {
    let check = hash_key_check(file, make).map_err(|error| HashKeyTrouble::Unusable(file.to_owned(), error))?;
    Ok(HashKeyCheck { version: VERSION, check })
}

fn same(own: &HashKeyCheck, known: &HashKeyCheck, file: &Path) -> Result<(), HashKeyTrouble> {
    if own == known { Ok(()) } else { Err(HashKeyTrouble::Differs(file.to_owned())) }
}

impl Document for HashKeyCheck {
    const FOLDER: &'static str = "gateways";
    const VERSION: u32 = VERSION;

    fn version(&self) -> u32 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use custody_types::TenantId;
    use custody_vault::{VaultRoot, open_objects};

    use super::*;

    async fn objects(folder: &Path) -> Arc<dyn Objects> {
        open_objects(&VaultRoot::folder(folder.join("vault"))).await.unwrap()
    }

    /// A name finds one pseudonym, or the gateway that would make another one does not start.
    #[tokio::test]
    async fn gateways_of_one_vault_have_one_hash_key() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path()).await;
        let key = |gateway: &str| folder.path().join(gateway);
        settle(&objects, &key("first")).await.unwrap();
        settle(&objects, &key("first")).await.unwrap();
        assert!(matches!(settle(&objects, &key("second")).await, Err(HashKeyTrouble::Missing(_))));
        assert!(!key("second").exists(), "a key that cannot be the right one is not made");
        hash_key_check(&key("second"), true).unwrap();
        let refused = settle(&objects, &key("second")).await.unwrap_err();
        assert!(matches!(refused, HashKeyTrouble::Differs(_)) && refused.to_string().contains("copy their hash.key"), "{refused}");
        std::fs::copy(key("first"), key("second")).unwrap();
        settle(&objects, &key("second")).await.unwrap();
        let tenant: TenantId = "acme".parse().unwrap();
        let of = |gateway| custody_gateway::pseudonym(&key(gateway), &tenant, "erika").unwrap();
        assert_eq!(of("first"), of("second"));
    }

    #[tokio::test]
    async fn a_name_is_looked_up_under_the_gateways_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path()).await;
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        assert!(matches!(compare(&objects, &own).await, Err(HashKeyTrouble::Unusable(..))));
        assert!(!own.exists());
        hash_key_check(&other, true).unwrap();
        assert!(matches!(compare(&objects, &other).await, Err(HashKeyTrouble::NotNoted)));
        settle(&objects, &own).await.unwrap();
        compare(&objects, &own).await.unwrap();
        assert!(matches!(compare(&objects, &other).await, Err(HashKeyTrouble::Differs(_))));
    }

    /// What stands in the vault is no key, and no pseudonym.
    #[tokio::test]
    async fn the_check_gives_nothing_of_the_key_away() {
        let folder = tempfile::tempdir().unwrap();
        let objects = objects(folder.path()).await;
        let file = folder.path().join("key");
        settle(&objects, &file).await.unwrap();
        let noted = std::fs::read_to_string(folder.path().join("vault/gateways/hash-key-check.json")).unwrap();
        let hex: String = std::fs::read(&file).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!noted.contains(&hex) && noted.contains("\"version\": 1"), "{noted}");
    }

    #[tokio::test]
    async fn a_gateway_whose_key_was_compared_starts_while_the_store_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let (data_dir, file) = (folder.path(), folder.path().join("key"));
        let vault = Vault::in_folder(data_dir);
        settle_gateway(&vault, &file, data_dir).await.unwrap();
        // A store whose document cannot be read at the moment.
        let gateways = data_dir.join("vault/gateways");
        std::fs::remove_dir_all(&gateways).unwrap();
        std::fs::write(&gateways, "in the way").unwrap();
        settle_gateway(&vault, &file, data_dir).await.unwrap();
        std::fs::remove_file(data_dir.join(COMPARED)).unwrap();
        let refused = settle_gateway(&vault, &file, data_dir).await.unwrap_err();
        assert!(refused.to_string().contains("cannot be compared"), "{refused:#}");
    }
}
