//! What a gateway needs to keep texts, as every deployment opens it: the content journal beside the one of events, the public keys of
//! the vault, and a place for large texts. A gateway never asks for a private key.

mod claims;
mod figures;
mod key_board;
mod orphans;

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use custody_gateway::{CONTENT_RESERVE_BYTES, ContentOutlet, Recorder, end_open_texts, workspace::Workspace};
use custody_log::Journal;
use custody_seal::edge::EdgeWindow;
use custody_types::{Clock, IdSource};
use custody_vault::Objects;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
};

pub use self::figures::add_figures;
use self::{claims::VaultClaims, key_board::KeyBoard, orphans::run as look_after_orphans};
use crate::journal;

/// The content journal's folder in a gateway's data folder.
pub const FOLDER: &str = "content";

/// The gateway's side of the vault, with what keeps it going.
pub struct ContentSide {
    /// The content journal.
    pub journal: Journal,
    keys: Arc<KeyBoard>,
    claims: Arc<VaultClaims>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What it is opened with.
pub struct ContentConfig<'a> {
    /// The gateway's data folder.
    pub data_dir: &'a Path,
    /// Most that the content journal may grow to.
    pub journal_bytes: u64,
    /// Whose progress frees its segments.
    pub consumer: &'a str,
    /// When the key of a day seals.
    pub window: EdgeWindow,
}

/// Whether texts are kept, or were and may still be on their way.
pub fn is_wanted(workspace: &Workspace, data_dir: &Path) -> bool {
    workspace.handling.captures() || data_dir.join(FOLDER).exists()
}

impl ContentSide {
    /// Opens the journal, ends what an earlier boot left open, and reads the keys.
    pub async fn start(
        config: &ContentConfig<'_>,
        objects: Arc<dyn Objects>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Self> {
        let folder = config.data_dir.join(FOLDER);
        let opened = journal::open_reserving(&folder, config.journal_bytes, config.consumer, CONTENT_RESERVE_BYTES, ids.as_ref());
        let (journal, report) = opened.context("the content journal cannot be opened")?;
        let ended = end_open_texts(report.open_requests, clock.as_ref(), ids.as_ref()).await?;
        if ended > 0 {
            tracing::warn!(ended, "requests of an earlier run got their end in the content journal");
        }
        let keys = Arc::new(KeyBoard::open(Arc::clone(&objects), config.window, Arc::clone(clock)).await);
        let (stop, stopped) = watch::channel(false);
        let orphans = look_after_orphans(journal.clone(), Arc::clone(clock), Arc::clone(ids), stopped.clone());
        let tasks = vec![tokio::spawn(Arc::clone(&keys).run(stopped)), tokio::spawn(orphans)];
        Ok(Self { journal, keys, claims: Arc::new(VaultClaims::new(objects)), stop, tasks })
    }

    /// What the gateway is given; `recorder` is the content journal, or its way to the log.
    pub fn outlet(&self, recorder: Arc<dyn Recorder>) -> ContentOutlet {
        ContentOutlet { recorder, keys: self.keys.clone(), claims: self.claims.clone() }
    }

    /// Stops what looks after it. The journal stays open: whoever takes its records closes it.
    pub async fn stop(self) -> Result<(), JoinError> {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await?;
        }
        Ok(())
    }
}
