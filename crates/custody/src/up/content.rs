//! The texts that `custody up` keeps: the content journal, and a vault in the data folder with a key for today.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use custody_gateway::{ContentOutlet, workspace::Workspace};
use custody_types::{Clock, IdSource};

use super::texts::TextSource;
use crate::{
    content::{self, ContentConfig, ContentSide},
    deployment::Vault,
    hash_key::{self, HASH_KEY},
    office::{OfficePlace, Register},
    vault_parts::VaultParts,
};

/// The consumer whose floor holds the content journal's truncation back.
pub const INGEST: &str = "ingest";

/// The content journal and the vault.
pub struct Content {
    /// The gateway's side, with the journal that ingest reads.
    pub side: ContentSide,
    /// What only ingest uses.
    pub vault: VaultParts,
}

impl Content {
    /// Nothing where no rule keeps text and none was kept before.
    pub async fn start(
        data_dir: &Path,
        journal_bytes: u64,
        workspace: &Workspace,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Option<Self>> {
        if !content::is_wanted(workspace, data_dir) {
            return Ok(None);
        }
        let meant = Vault::in_folder(data_dir);
        let vault = meant.open(clock).await?;
        hash_key::settle(&vault.objects, &data_dir.join(HASH_KEY)).await?;
        // Before the first request: without a key of the day it would be refused.
        vault.edge.prepare(clock.now()).await.context("the vault's key for today cannot be made")?;
        let config = ContentConfig { data_dir, journal_bytes, consumer: INGEST, window: meant.window };
        let side = ContentSide::start(&config, Arc::clone(&vault.objects), clock, ids).await?;
        Ok(Some(Self { side, vault }))
    }

    /// What ingest is given.
    pub fn for_ingest<'a>(&'a self, data_dir: &Path, workspace: &'a Workspace) -> TextSource<'a> {
        let redactions = &workspace.handling.redactions;
        let register = Register::of_service(OfficePlace::in_folder(data_dir), workspace, "custody up");
        TextSource { journal: self.side.journal.clone(), consumer: INGEST, vault: &self.vault, redactions, register }
    }

    /// What the gateway is given. The journal is the log.
    pub fn for_gateway(&self) -> ContentOutlet {
        self.side.outlet(Arc::new(self.side.journal.clone()))
    }
}
