//! The keys of the days that this process holds. Nobody waits for the vault while he has them: texts open meanwhile.

use std::{collections::BTreeMap, sync::Arc};

use custody_seal::edge::{EdgeDay, EdgeKeyId, EdgeOpener};
use custody_vault::{EdgeRefresh, VaultError};
use tokio::sync::Mutex;

use super::{
    sealing::{Fetched, Opened, open},
    step::{VaultStep, off_the_async_threads},
};

/// An opener that is shared.
#[derive(Debug, Default)]
pub(super) struct SharedOpener(Arc<Mutex<Keys>>);

#[derive(Debug, Default)]
struct Keys {
    opener: EdgeOpener,
    /// Counts the times that keys were taken up or dropped.
    turn: u64,
}

impl SharedOpener {
    /// The keys that are held, and their days.
    pub(super) async fn held(&self) -> BTreeMap<EdgeKeyId, EdgeDay> {
        self.0.lock().await.held()
    }

    /// Opens each text, or says why it does not open.
    pub(super) async fn open(&self, fetched: Vec<Fetched>) -> Result<Vec<Opened>, VaultError> {
        let keys = Arc::clone(&self.0);
        off_the_async_threads(move || {
            let mut held = keys.blocking_lock();
            fetched.into_iter().map(|fetched| open(&mut held.opener, fetched)).collect()
        })
        .await
    }
}

impl Keys {
    fn held(&self) -> BTreeMap<EdgeKeyId, EdgeDay> {
        self.opener.held().map(|key| (key.id(), key.day())).collect()
    }
}

impl VaultStep {
    /// Takes up keys that came and drops those that are kept no more. Where another did so while the vault was asked, what was found is
    /// of before: a key may be among it that is destroyed by now. It is asked for again.
    pub(super) async fn refresh_opener(&self) -> Result<EdgeRefresh, VaultError> {
        loop {
            let (held, turn) = {
                let keys = self.opener.0.lock().await;
                (keys.held(), keys.turn)
            };
            let changes = self.parts.edge.changes(held).await?;
            let mut keys = self.opener.0.lock().await;
            if keys.turn == turn {
                keys.turn = turn.wrapping_add(u64::from(!changes.is_empty()));
                return Ok(changes.apply(&mut keys.opener));
            }
        }
    }
}
