//! What goes on beside the loop: keys of the days made ahead and destroyed on time, and parked records tried again. Neither waits for the
//! other, and a stop is heard while the vault is asked: what is cut off there is gone on with by the next process, as after a crash.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_lake::{ContentRows, TableStore};
use custody_seal::edge::EdgeDay;
use custody_types::IdSource;
use custody_vault::{EdgeKeysDestroyed, EdgeKeysPrepared, VaultError};
use tokio::sync::watch;

use super::{
    step::VaultStep,
    unpark::{Unparked, unpark},
};
use crate::{EventLookup, IngestError};

/// Tells how far the content stream is read.
#[async_trait]
pub trait Backlog: Send + Sync {
    /// The first day of which texts may not be read yet; nothing where all is read.
    async fn unread_from(&self) -> Option<EdgeDay>;
}

/// Told of what cannot be undone.
#[async_trait]
pub trait KeyWitness: Send + Sync {
    /// The keys of these days are destroyed.
    async fn destroyed(&self, days: &[EdgeDay]);
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepConfig {
    /// Parked records. The default is half a minute.
    pub unpark_every: Duration,
    /// Keys. The default is an hour: tomorrow's key is there a day before it seals.
    pub keys_every: Duration,
}

/// The work of one process; several at once only do it twice.
pub struct ContentUpkeep<S> {
    /// The step, with its keys.
    pub step: Arc<VaultStep>,
    /// The table, by a handle of its own.
    pub table: S,
    /// What the table holds at a place.
    pub lookup: Arc<dyn EventLookup>,
    /// How far the stream is read.
    pub backlog: Arc<dyn Backlog>,
    /// Who records that keys are destroyed.
    pub witness: Arc<dyn KeyWitness>,
    /// Commit ids.
    pub ids: Arc<dyn IdSource>,
    /// How often.
    pub config: UpkeepConfig,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        Self { unpark_every: Duration::from_secs(30), keys_every: Duration::from_secs(60 * 60) }
    }
}

impl VaultStep {
    /// Sees to it that gateways can seal today and tomorrow.
    ///
    /// # Errors
    /// When the vault can't be used now.
    pub async fn prepare_keys(&self) -> Result<EdgeKeysPrepared, VaultError> {
        self.parts.edge.prepare(self.parts.clock.now()).await
    }

    /// Destroys the keys of days that are over, but for those that the stream or something parked may need. Keys that another process
    /// destroyed are forgotten here too.
    ///
    /// # Errors
    /// When the vault can't be used now; the next call goes on.
    pub async fn destroy_keys(&self, unread_from: Option<EdgeDay>) -> Result<EdgeKeysDestroyed, VaultError> {
        let destroyed = self.destroy_due(unread_from).await?;
        self.refresh_opener().await?;
        Ok(destroyed)
    }

    /// The part of it that asks the vault's store only.
    async fn destroy_due(&self, unread_from: Option<EdgeDay>) -> Result<EdgeKeysDestroyed, VaultError> {
        self.parts.edge.destroy_due(self.parts.clock.now(), unread_from).await
    }
}

impl<S: TableStore<Rows = ContentRows>> ContentUpkeep<S> {
    /// Works until told to stop. What fails is logged and tried again: no text depends on when it is done.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        tokio::join!(self.keep_keys(stop.clone()), self.try_parked(stop));
    }

    async fn keep_keys(&self, mut stop: watch::Receiver<bool>) {
        let UpkeepConfig { keys_every, unpark_every } = self.config;
        while let Some(seen_to) = self.look_after_keys(&mut stop).await {
            // Gateways need tomorrow's key within the day: a failure is not left for an hour.
            let pause = if seen_to { keys_every } else { keys_every.min(unpark_every) };
            if unless_stopped(&mut stop, tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    async fn try_parked(&self, mut stop: watch::Receiver<bool>) {
        while let Some(tried) = unless_stopped(&mut stop, self.unpark()).await {
            match tried {
                Ok(Unparked { texts: 0, .. }) => {}
                Ok(unparked) => tracing::info!(texts = unparked.texts, waiting = unparked.waiting, "parked texts are in the lake"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "parked texts could not be tried and are tried again");
                }
            }
            if unless_stopped(&mut stop, tokio::time::sleep(self.config.unpark_every)).await.is_none() {
                return;
            }
        }
    }

    /// One try of everything that is parked.
    ///
    /// # Errors
    /// When table or vault can't be used now.
    pub async fn unpark(&self) -> Result<Unparked, IngestError> {
        unpark(&self.step, &self.table, self.lookup.as_ref(), self.ids.as_ref()).await
    }

    /// Whether all was done; nothing where a stop came first. Only what destroys is never cut off: what it did is to be told.
    async fn look_after_keys(&self, stop: &mut watch::Receiver<bool>) -> Option<bool> {
        let prepared = unless_stopped(stop, self.step.prepare_keys()).await?;
        let is_prepared = prepared.is_ok();
        match prepared {
            Ok(prepared) if prepared.made.is_empty() => {}
            Ok(prepared) => tracing::info!(days = ?prepared.made, "keys were made for texts of these days"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "keys of today and tomorrow could not be seen to");
            }
        }
        let unread_from = unless_stopped(stop, self.backlog.unread_from()).await?;
        let is_destroyed = self.destroy(unread_from).await;
        let refreshed = unless_stopped(stop, self.step.refresh_opener()).await?;
        if let Err(error) = &refreshed {
            tracing::warn!(error = error as &dyn std::error::Error, "which keys are kept could not be looked at");
        }
        Some(is_prepared && is_destroyed && refreshed.is_ok())
    }

    /// Whether the keys that are due are gone.
    async fn destroy(&self, unread_from: Option<EdgeDay>) -> bool {
        match self.step.destroy_due(unread_from).await {
            Ok(EdgeKeysDestroyed { destroyed, still_needed }) => {
                if !destroyed.is_empty() || !still_needed.is_empty() {
                    tracing::info!(?destroyed, ?still_needed, "keys of days that are over");
                }
                if !destroyed.is_empty() {
                    self.witness.destroyed(&destroyed).await;
                }
                true
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "keys of past days could not be destroyed");
                false
            }
        }
    }
}

/// What comes of the work; nothing where a stop came first.
async fn unless_stopped<T>(stop: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    let stopped = async { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::select! {
        biased;
        _ = stopped => None,
        done = work => Some(done),
    }
}
