//! Where a unit key stands in the store, and back.
//!
//! `units/<tenant>/<person or _>/<purpose>/<month number>/<unit key id>.key`

use custody_seal::rest::{Month, ShredUnit, UnitKeyId};
use custody_types::{PersonPseudonym, TenantId};

use super::KeptUnit;
use crate::{error::VaultError, objects::ObjectName};

const ROOT: &str = "units";
const ENDING: &str = ".key";

pub(super) fn root() -> Result<ObjectName, VaultError> {
    Ok(ROOT.parse()?)
}

/// The folder of a tenant, or of a person of it.
pub(super) fn owner(tenant: &TenantId, person: Option<&PersonPseudonym>) -> Result<ObjectName, VaultError> {
    let folder = root()?.join(&ObjectName::label(tenant.as_str()))?;
    match person {
        Some(person) => Ok(folder.join(&ObjectName::label(person.as_str()))?),
        None => Ok(folder),
    }
}

pub(super) fn folder(unit: &ShredUnit) -> Result<ObjectName, VaultError> {
    let person = ObjectName::label_or_none(unit.person.as_ref().map(PersonPseudonym::as_str));
    let folder = root()?.join(&ObjectName::label(unit.tenant.as_str()))?.join(&person)?;
    Ok(folder.join(&ObjectName::label(unit.purpose.as_str()))?.join(&unit.month.number().to_string())?)
}

pub(super) fn name(unit: &ShredUnit, key: UnitKeyId) -> Result<ObjectName, VaultError> {
    Ok(folder(unit)?.join(&format!("{key}{ENDING}"))?)
}

/// The id in a key's name.
pub(super) fn key_id(name: &ObjectName) -> Option<UnitKeyId> {
    name.file().strip_suffix(ENDING)?.parse().ok()
}

/// A name that is no key's refuses all: a plan of destruction must not pass over a key.
pub(super) fn read_all(names: &[ObjectName]) -> Result<Vec<KeptUnit>, VaultError> {
    names.iter().map(|name| read(name).ok_or_else(|| VaultError::Misplaced { object: name.to_string() })).collect()
}

fn read(name: &ObjectName) -> Option<KeptUnit> {
    let mut segments = name.segments().skip(1);
    let mut next = || segments.next();
    let (tenant, person, purpose, month) = (next()?, next()?, next()?, next()?);
    let person = match ObjectName::read_label(person) {
        Some(person) => Some(person.parse().ok()?),
        None => None,
    };
    let unit = ShredUnit {
        tenant: ObjectName::read_label(tenant)?.parse().ok()?,
        person,
        purpose: ObjectName::read_label(purpose)?.parse().ok()?,
        month: Month::from_number(month.parse().ok()?),
    };
    let _key = next()?;
    Some(KeptUnit { unit, key: key_id(name)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(tenant: &str, person: Option<&str>, purpose: &str) -> ShredUnit {
        let person = person.map(|person| person.parse().unwrap());
        ShredUnit { tenant: tenant.parse().unwrap(), person, purpose: purpose.parse().unwrap(), month: Month::from_number(24_322) }
    }

    #[test]
    fn a_name_says_which_unit_and_key() {
        let key = UnitKeyId::from_bytes([0xab; 16]);
        for unit in [
            unit("acme", Some("p-1"), "quality"),
            unit("acme", None, "quality"),
            unit("acme/eu", Some("_"), "../../x"),
            unit("..", Some(&"/".repeat(128)), "_"),
        ] {
            let name = name(&unit, key).unwrap();
            assert_eq!(read(&name), Some(KeptUnit { unit, key }), "{name}");
        }
        let shown = name(&unit("acme", None, "quality"), key).unwrap();
        assert_eq!(shown.as_str(), "units/acme/_/quality/24322/abababababababababababababababab.key");
    }

    #[test]
    fn a_person_called_underscore_is_not_nobody() {
        let (nobody, somebody) = (unit("acme", None, "quality"), unit("acme", Some("_"), "quality"));
        assert_ne!(folder(&nobody).unwrap(), folder(&somebody).unwrap());
    }

    #[test]
    fn what_is_no_key_is_not_passed_over() {
        for name in ["units/acme", "units/acme/_/quality/24322/short.key", "units/acme/_/quality/x/abababababababababababababababab.key"] {
            assert!(read_all(&[name.parse().unwrap()]).is_err(), "{name}");
        }
    }
}
