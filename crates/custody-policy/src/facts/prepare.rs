//! Facts in Cedar's form, made once and used for many decisions.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use custody_types::TenantId;

use super::{CapabilityFacts, FactsError, PrincipalFacts, PrincipalKind, RouteFacts, TenantScope};
use crate::shape::{self, boolean, entity, level, text};

/// A principal ready for decisions; make it once for a credential.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(crate) uid: EntityUid,
    pub(crate) entity: Entity,
}

/// A capability ready for decisions; make it once for a configuration.
#[derive(Debug, Clone)]
pub struct Capability {
    pub(crate) facts: CapabilityFacts,
    pub(crate) uid: EntityUid,
    pub(crate) entity: Entity,
}

/// A route ready for decisions; make it once for a configuration.
#[derive(Debug, Clone)]
pub struct Route {
    pub(crate) facts: RouteFacts,
    pub(crate) uid: EntityUid,
    pub(crate) entity: Entity,
}

impl Principal {
    /// Makes a principal ready.
    ///
    /// # Errors
    /// When the engine refuses the facts, which no valid label can cause.
    pub fn new(facts: &PrincipalFacts) -> Result<Self, FactsError> {
        let type_name = match facts.kind {
            PrincipalKind::User => shape::USER,
            PrincipalKind::Service => shape::SERVICE,
        };
        let uid = shape::uid(type_name, &format!("{}|{}", facts.tenant, facts.principal))?;
        let tenant = shape::uid(shape::TENANT, facts.tenant.as_str())?;
        let mut parents = HashSet::from([tenant.clone()]);
        for group in &facts.groups {
            parents.insert(shape::uid(shape::GROUP, group.as_str())?);
        }
        let attributes = HashMap::from([("tenant".to_owned(), entity(tenant))]);
        Ok(Self { entity: build(&uid, attributes, parents)?, uid })
    }
}

impl Capability {
    /// Makes a capability ready.
    ///
    /// # Errors
    /// When the engine refuses the facts, which no valid label can cause.
    pub fn new(facts: CapabilityFacts) -> Result<Self, FactsError> {
        let uid = shape::uid(shape::CAPABILITY, facts.name.as_str())?;
        let handling = shape::uid(shape::HANDLING, facts.handling.as_str())?;
        let mut attributes = scope_attributes(&facts.tenants)?;
        attributes.insert("owner".to_owned(), text(&facts.owner));
        attributes.insert("controlLevel".to_owned(), level(facts.control_level as u8));
        attributes.insert("dataClass".to_owned(), level(facts.data_class as u8));
        attributes.insert("handling".to_owned(), entity(handling));
        attributes.extend(facts.feature.as_ref().map(|feature| ("feature".to_owned(), text(feature.as_str()))));
        attributes.extend(facts.workflow.as_ref().map(|workflow| ("workflow".to_owned(), text(workflow.as_str()))));
        Ok(Self { entity: build(&uid, attributes, HashSet::new())?, uid, facts })
    }

    /// The facts it was made from.
    #[must_use]
    pub const fn facts(&self) -> &CapabilityFacts {
        &self.facts
    }
}

impl Route {
    /// Makes a route ready.
    ///
    /// # Errors
    /// When the engine refuses the facts, which no valid label can cause.
    pub fn new(facts: RouteFacts) -> Result<Self, FactsError> {
        let uid = shape::uid(shape::ROUTE, facts.name.as_str())?;
        let mut attributes = scope_attributes(&facts.tenants)?;
        attributes.insert("provider".to_owned(), text(&facts.provider));
        attributes.insert("model".to_owned(), text(facts.model.as_str()));
        attributes.insert("dataClassCeiling".to_owned(), level(facts.data_class_ceiling as u8));
        attributes.extend(facts.region.as_deref().map(|region| ("region".to_owned(), text(region))));
        Ok(Self { entity: build(&uid, attributes, HashSet::new())?, uid, facts })
    }

    /// The facts it was made from.
    #[must_use]
    pub const fn facts(&self) -> &RouteFacts {
        &self.facts
    }
}

/// Both attributes are always present: a rule over an absent one would fail to evaluate.
pub(super) fn scope_attributes(scope: &TenantScope) -> Result<HashMap<String, RestrictedExpression>, FactsError> {
    let (shared, tenants) = match scope {
        TenantScope::All => (true, Vec::new()),
        TenantScope::Only(tenants) => (false, tenants.iter().map(tenant_reference).collect::<Result<_, _>>()?),
    };
    Ok(HashMap::from([("shared".to_owned(), boolean(shared)), ("tenants".to_owned(), RestrictedExpression::new_set(tenants))]))
}

fn tenant_reference(tenant: &TenantId) -> Result<RestrictedExpression, FactsError> {
    shape::uid(shape::TENANT, tenant.as_str()).map(entity)
}

pub(super) fn build(
    uid: &EntityUid,
    attributes: HashMap<String, RestrictedExpression>,
    parents: HashSet<EntityUid>,
) -> Result<Entity, FactsError> {
    Entity::new(uid.clone(), attributes, parents).map_err(|error| FactsError { subject: uid.to_string(), reason: error.to_string() })
}
