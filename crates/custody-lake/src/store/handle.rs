//! An open table. A handle grows slower and larger with each version it lives through, so after [`MAX_UPDATES`] it is opened anew.

use std::sync::Arc;

use deltalake::{kernel::EagerSnapshot, logstore::LogStoreRef, table::state::DeltaTableState};

use super::{TableState, transactions::Transactions};
use crate::error::StoreError;

/// Measured: a commit through a handle that saw 500 commits takes five times as long as through a fresh one.
const MAX_UPDATES: u32 = 50;

const OPENING: &str = "opening the table";

/// A table at a version.
pub(crate) struct TableHandle {
    log_store: LogStoreRef,
    state: DeltaTableState,
    transactions: Transactions,
    updates: u32,
}

impl TableHandle {
    pub(crate) async fn open(log_store: LogStoreRef) -> Result<Self, StoreError> {
        let state = DeltaTableState::try_new(&log_store, None).await.map_err(StoreError::storage(OPENING))?;
        let mut transactions = Transactions::at_last_checkpoint(&log_store).await;
        transactions.advance(&log_store, state.version()).await?;
        Ok(Self { log_store, state, transactions, updates: 0 })
    }

    /// Goes to the newest version.
    pub(crate) async fn refresh(&mut self) -> Result<(), StoreError> {
        if self.updates >= MAX_UPDATES {
            *self = Self::open(Arc::clone(&self.log_store)).await?;
            return Ok(());
        }
        let before = self.state.version();
        self.state.update(&self.log_store, None).await.map_err(StoreError::storage("reading the table's log"))?;
        self.transactions.advance(&self.log_store, self.state.version()).await?;
        if self.state.version() != before {
            self.updates = self.updates.saturating_add(1);
        }
        Ok(())
    }

    /// Goes to the version that a commit through this handle made.
    pub(crate) async fn moved_to(&mut self, state: DeltaTableState) -> Result<(), StoreError> {
        self.state = state;
        self.updates = self.updates.saturating_add(1);
        self.transactions.advance(&self.log_store, self.state.version()).await
    }

    pub(crate) const fn log_store(&self) -> &LogStoreRef {
        &self.log_store
    }

    pub(crate) const fn state(&self) -> &DeltaTableState {
        &self.state
    }

    pub(crate) fn eager(&self) -> EagerSnapshot {
        self.state.snapshot().clone()
    }

    pub(crate) fn version(&self) -> u64 {
        self.state.version()
    }

    pub(crate) fn table_state(&self) -> TableState {
        TableState { version: self.version(), transactions: self.transactions.by_application().clone() }
    }
}
