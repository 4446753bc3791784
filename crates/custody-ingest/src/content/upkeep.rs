//! What goes on beside the loop: keys of the days made ahead and destroyed on time, and parked records tried again.

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
        let parked = self.parts.parked.days().await?;
        // A record whose key was not held is parked under the day it was sealed on, and the key may be of the day before.
        let parked_from = parked.first().map(|day| EdgeDay::from_number(day.number().saturating_sub(1)));
        let needed_from = [unread_from, parked_from].into_iter().flatten().min();
        let destroyed = self.parts.edge.destroy_due(self.parts.clock.now(), needed_from).await?;
        self.refresh_opener().await?;
        Ok(destroyed)
    }
}

impl<S: TableStore<Rows = ContentRows>> ContentUpkeep<S> {
    /// Works until told to stop. What fails is logged and tried again: no text depends on when it is done.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let turns_between_keys = self.config.keys_every.as_secs() / self.config.unpark_every.as_secs().max(1);
        let mut turn = 0_u64;
        loop {
            if turn.is_multiple_of(turns_between_keys.max(1)) {
                self.look_after_keys().await;
            }
            match self.unpark().await {
                Ok(Unparked { texts: 0, .. }) => {}
                Ok(unparked) => tracing::info!(texts = unparked.texts, waiting = unparked.waiting, "parked texts are in the lake"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "parked texts could not be tried and are tried again");
                }
            }
            turn = turn.saturating_add(1);
            if tokio::time::timeout(self.config.unpark_every, stop.wait_for(|stop| *stop)).await.is_ok() {
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

    async fn look_after_keys(&self) {
        match self.step.prepare_keys().await {
            Ok(prepared) if prepared.made.is_empty() => {}
            Ok(prepared) => tracing::info!(days = ?prepared.made, "keys were made for texts of these days"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "keys of today and tomorrow could not be seen to");
            }
        }
        match self.step.destroy_keys(self.backlog.unread_from().await).await {
            Ok(EdgeKeysDestroyed { destroyed, still_needed }) => {
                if !destroyed.is_empty() || !still_needed.is_empty() {
                    tracing::info!(?destroyed, ?still_needed, "keys of days that are over");
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "keys of past days could not be destroyed"),
        }
    }
}
