//! What expiry and erasure need of the vault's store, the table of texts, the key service and the journal.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use custody_event::Control;
use custody_seal::{edge::EdgeDay, rest::UnitKeyId};
use custody_types::{RequestId, TenantId, Timestamp};

use super::{
    error::PortError,
    key::KeptKey,
    rows::{HeldRows, RowCount, RowSelection, Scope, TextGroup},
};
use crate::hold::Hold;

/// The vault's store. Every change is durable when it returns, and doing it again changes nothing.
#[async_trait]
pub trait VaultStore: Send + Sync {
    /// The unit keys of a tenant, or all.
    async fn unit_keys(&self, tenant: Option<&TenantId>) -> Result<Vec<KeptKey>, PortError>;

    /// Destroys a unit key, in the store and in this process.
    async fn destroy_unit_key(&self, key: &KeptKey) -> Result<(), PortError>;

    /// Whether the tenant has a key of pseudonyms.
    async fn has_pseudonym_key(&self, tenant: &TenantId) -> Result<bool, PortError>;

    /// Destroys the key of the tenant's pseudonyms, in the store and in this process.
    async fn destroy_pseudonym_key(&self, tenant: &TenantId) -> Result<(), PortError>;

    /// Days whose private edge key is there.
    async fn edge_days(&self) -> Result<BTreeSet<EdgeDay>, PortError>;

    /// Names of the claim checks at rest that expire on this day or before.
    async fn claims_due(&self, today: i32) -> Result<Vec<String>, PortError>;

    /// Deletes a claim check at rest with what stands beside it.
    async fn delete_claim(&self, claim: &str) -> Result<(), PortError>;

    /// Objects with parked texts, by the day of their edge key.
    async fn parked_days(&self) -> Result<BTreeMap<EdgeDay, u64>, PortError>;

    /// Parked texts of a scope that were made up to a time, apart from held ones; they are deleted where `delete` says so.
    async fn parked(&self, scope: &Scope, made_up_to: Timestamp, held: &HeldRows, delete: bool) -> Result<FoundParked, PortError>;

    /// Says that texts of the scope made up to a time are never written again.
    async fn write_tombstone(&self, scope: &Scope, made_up_to: Timestamp) -> Result<(), PortError>;

    /// The legal holds in force.
    async fn holds(&self) -> Result<Vec<Hold>, PortError>;

    /// A document of a kind.
    async fn document(&self, kind: &'static str, id: &str) -> Result<Option<Vec<u8>>, PortError>;

    /// Writes a document, or writes it anew.
    async fn put_document(&self, kind: &'static str, id: &str, bytes: Vec<u8>) -> Result<(), PortError>;

    /// Writes a document where it still has the bytes `was`, or is not there where there were none. False where another wrote it.
    async fn replace_document(&self, kind: &'static str, id: &str, was: Option<&[u8]>, bytes: Vec<u8>) -> Result<bool, PortError>;

    /// Names of the documents of a kind, in order.
    async fn documents(&self, kind: &'static str) -> Result<Vec<String>, PortError>;
}

/// The `content` table.
#[async_trait]
pub trait ContentTable: Send + Sync {
    /// What is kept, in groups.
    async fn inventory(&self) -> Result<Vec<TextGroup>, PortError>;

    /// The keys under which texts of these requests stand.
    async fn keys_of(&self, requests: &[RequestId]) -> Result<BTreeSet<UnitKeyId>, PortError>;

    /// The keys under which the rows that are meant stand.
    async fn keys(&self, rows: &RowSelection) -> Result<BTreeSet<UnitKeyId>, PortError>;

    /// How many rows are meant.
    async fn count(&self, rows: &RowSelection) -> Result<RowCount, PortError>;

    /// Names of the claim checks of the rows that are meant.
    async fn claims(&self, rows: &RowSelection) -> Result<BTreeSet<String>, PortError>;

    /// Deletes the rows; each of them is there or is gone.
    async fn delete(&self, rows: &RowSelection) -> Result<(), PortError>;

    /// Deletes every file that the newest version does not need.
    async fn vacuum(&self) -> Result<(), PortError>;
}

/// The key service, as far as a tenant's own wrapping keys go.
#[async_trait]
pub trait WrappingKeys: Send + Sync {
    /// Makes what older wrapping keys of the tenant wrapped unreadable: wraps the keys that are `left` with a new key and removes
    /// the older ones, or schedules their deletion.
    async fn retire(&self, tenant: &TenantId, left: usize) -> Result<Retired, PortError>;

    /// From when a copy of the key store is unreadable, in a sentence; `retired` says that all older wrapping keys went.
    fn key_store_window(&self, retired: bool) -> String;
}

/// What became of a tenant's wrapping keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retired {
    /// What was done and what not, in a sentence each.
    pub did: Vec<String>,
    /// Whether every older one is gone, or goes at a time that is set.
    pub all: bool,
}

/// Where events become durable.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// Records an event.
    async fn record(&self, event: &NewEvent) -> Result<(), PortError>;

    /// Whether an event with this id is recorded; asked after a kill.
    async fn is_recorded(&self, event_id: &str) -> Result<bool, PortError>;
}

/// An event whose id was chosen before it was made, so that it is made once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// UUID version 7.
    pub event_id: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub control: Control,
}

/// Parked texts that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundParked {
    /// Texts of the scope.
    pub texts: u64,
    /// Of these, texts that a hold keeps.
    pub held: u64,
}
