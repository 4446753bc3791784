//! Text at rest: envelope encryption under the key of a shred unit (D4, D5).
//!
//! ```text
//! KMS key or key-file key of the tenant ── wraps ──▶ unit key (tenant × person × purpose × month) ── derives ──▶ a key per text
//! ```
//!
//! Destroying the wrapped unit key (and every copy of it that is in memory) makes all its texts unreadable, wherever copies of
//! them are. Rotation of the tenant's key wraps the unit keys anew and touches no text.

mod record;
mod unit;
mod unit_key;

pub use record::unit_key_of;
pub use unit::{Month, ShredUnit};
pub use unit_key::{ContentSchema, InvalidUnitKeyIdError, UnitKey, UnitKeyId};
