//! The names under which facts stand before the policies, and the few value forms they take.

use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use crate::facts::FactsError;

pub(crate) const USER: &str = "User";
pub(crate) const SERVICE: &str = "Service";
pub(crate) const TENANT: &str = "Tenant";
pub(crate) const GROUP: &str = "Group";
pub(crate) const CAPABILITY: &str = "Capability";
pub(crate) const ROUTE: &str = "Route";
pub(crate) const CONTENT: &str = "Content";
pub(crate) const HANDLING: &str = "Handling";
pub(crate) const ACTION: &str = "Action";
pub(crate) const INVOKE_CAPABILITY: &str = "InvokeCapability";
pub(crate) const USE_ROUTE: &str = "UseRoute";
pub(crate) const REVEAL_CONTENT: &str = "RevealContent";

pub(crate) fn uid(type_name: &str, id: &str) -> Result<EntityUid, FactsError> {
    let type_name =
        EntityTypeName::from_str(type_name).map_err(|error| FactsError { subject: type_name.to_owned(), reason: error.to_string() })?;
    Ok(EntityUid::from_type_name_and_id(type_name, EntityId::new(id)))
}

pub(crate) fn entity(uid: EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid)
}

pub(crate) fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

pub(crate) fn boolean(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

/// The place of a data class or control level in its order.
pub(crate) fn level(rank: u8) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::from(rank))
}
