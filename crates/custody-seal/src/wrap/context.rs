//! What a wrapped key is bound to: which key it is and what it is for. A wrapped key that is put in another's place does not open.

use std::fmt;

use custody_types::TenantId;
use sha2::{Digest, Sha256};

use crate::{
    edge::EdgeDay,
    error::FormatError,
    rest::ShredUnit,
    wire::{Reader, put_field, write_hex},
};

/// A key and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapContext {
    /// The id of the key inside.
    pub key: [u8; 16],
    /// What it is for.
    pub subject: WrapSubject,
}

/// What a key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrapSubject {
    /// The private key of a day.
    EdgeKey {
        /// The day.
        day: EdgeDay,
    },
    /// The key of a shred unit.
    Unit(ShredUnit),
    /// The key of a tenant's pseudonyms.
    Pseudonyms {
        /// The tenant.
        tenant: TenantId,
    },
}

impl WrapContext {
    /// Whose key wraps it: the tenant's, or the product's own for edge keys.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        match &self.subject {
            WrapSubject::EdgeKey { .. } => None,
            WrapSubject::Unit(unit) => Some(&unit.tenant),
            WrapSubject::Pseudonyms { tenant } => Some(tenant),
        }
    }

    /// The encryption context for AWS KMS: string pairs that CloudTrail shows in clear, so ids only. The unit stands in it as a
    /// digest, because a pseudonym is still a person's.
    #[must_use]
    pub fn encryption_context(&self) -> Vec<(&'static str, String)> {
        let mut bound = Vec::new();
        self.encode(&mut bound);
        let digest: [u8; 32] = Sha256::digest(&bound).into();
        let kind = match self.subject {
            WrapSubject::EdgeKey { .. } => "edge",
            WrapSubject::Unit(_) => "unit",
            WrapSubject::Pseudonyms { .. } => "pseudonyms",
        };
        let mut pairs = vec![
            ("custody:format", "1".to_owned()),
            ("custody:kind", kind.to_owned()),
            ("custody:key", Hex(&self.key).to_string()),
            ("custody:bound", Hex(&digest).to_string()),
        ];
        pairs.extend(self.tenant().map(|tenant| ("custody:tenant", tenant.to_string())));
        pairs
    }

    /// kind (1: 1 edge, 2 unit, 3 pseudonyms), key id (16), then the day (4), the unit or the tenant (2 + n).
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let kind = match self.subject {
            WrapSubject::EdgeKey { .. } => 1,
            WrapSubject::Unit(_) => 2,
            WrapSubject::Pseudonyms { .. } => 3,
        };
        out.push(kind);
        out.extend_from_slice(&self.key);
        match &self.subject {
            WrapSubject::EdgeKey { day } => out.extend_from_slice(&day.number().to_be_bytes()),
            WrapSubject::Unit(unit) => unit.encode(out),
            WrapSubject::Pseudonyms { tenant } => put_field(out, tenant.as_str().as_bytes()),
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let kind = reader.byte()?;
        let key = reader.array()?;
        let subject = match kind {
            1 => WrapSubject::EdgeKey { day: EdgeDay::from_number(reader.i32()?) },
            2 => WrapSubject::Unit(ShredUnit::decode(reader)?),
            3 => WrapSubject::Pseudonyms { tenant: reader.label()? },
            _ => return Err(FormatError::Malformed),
        };
        Ok(Self { key, subject })
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.0)
    }
}
