//! What expiry and erasure have in common: the ports that they act through, the words of their plans, and what a hold keeps.
//!
//! ```text
//! holds ──▶ Held ──┐
//!                  ▼
//! plan (durable) ──▶ step ──▶ mark (durable) ──▶ step ──▶ … ──▶ event      a kill anywhere: the next run does the step again
//! ```
//! Each step does the same when it is done twice; what it counts was counted before it began.

mod calendar;
mod destroy;
mod documents;
mod error;
mod held;
mod key;
mod lake_texts;
mod ports;
mod proof;
mod rows;
mod tenant_keys;
#[cfg(test)]
pub(crate) mod testing;
mod vault_objects;

pub use self::{
    calendar::{DAYS_WITHOUT_END, first_day_after, shown_day, shown_time},
    error::{ForgetError, PortError},
    held::{Held, HeldBy},
    key::{KeptKey, PlannedKey},
    lake_texts::LakeTexts,
    ports::{ContentTable, Evidence, FoundParked, NewEvent, Retired, VaultStore, WrappingKeys},
    proof::keys_hash,
    rows::{HeldRows, RowCount, RowSelection, Scope, TextGroup, Which},
    tenant_keys::TenantKeys,
    vault_objects::{ParkedForm, VaultObjects},
};
pub(crate) use self::{
    destroy::destroy_keys,
    documents::{read, read_written, write, write_over},
    proof::hash,
};
