//! One question in the engine's form: who, does what, to what, in which circumstances.

use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use custody_types::{DataClass, Environment};

use crate::{
    facts::{Capability, Content, FactsError, Principal, Route},
    shape::{self, boolean, entity, level, text},
};

/// Circumstances of an invocation.
#[derive(Debug, Clone, Copy)]
pub struct InvokeContext<'a> {
    /// Deployment stage.
    pub environment: &'a Environment,
}

/// Circumstances of an attempt. The control level and workflow are those of the capability.
#[derive(Debug, Clone, Copy)]
pub struct RouteContext<'a> {
    /// Deployment stage.
    pub environment: &'a Environment,
    /// What the request asks for.
    pub capability: &'a Capability,
    /// How sensitive the data of this very request is.
    pub data_class: DataClass,
}

/// Circumstances of a reveal.
#[derive(Debug, Clone, Copy)]
pub struct RevealContext<'a> {
    /// Deployment stage.
    pub environment: &'a Environment,
    /// Whether only the redacted text is asked for.
    pub redacted: bool,
    /// Whether a second person is part of it: one has approved, or is being asked.
    pub second_person: bool,
    /// Whether a reason was given.
    pub reason_given: bool,
}

/// The names of the actions, parsed once.
#[derive(Debug)]
pub(crate) struct Actions {
    invoke: EntityUid,
    use_route: EntityUid,
    reveal: EntityUid,
}

/// A question that is ready to be asked, or to be checked against a schema.
pub(crate) struct Question {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    circumstances: Vec<(String, RestrictedExpression)>,
    entities: Vec<Entity>,
}

impl Actions {
    pub(crate) fn new() -> Result<Self, FactsError> {
        let action = |name| shape::uid(shape::ACTION, name);
        let [invoke, use_route, reveal] = [shape::INVOKE_CAPABILITY, shape::USE_ROUTE, shape::REVEAL_CONTENT].map(action);
        Ok(Self { invoke: invoke?, use_route: use_route?, reveal: reveal? })
    }

    pub(crate) fn invoke(&self, principal: &Principal, capability: &Capability, context: InvokeContext<'_>) -> Question {
        Question {
            principal: principal.uid.clone(),
            action: self.invoke.clone(),
            resource: capability.uid.clone(),
            circumstances: shared_circumstances(context.environment, capability),
            entities: vec![principal.entity.clone(), capability.entity.clone()],
        }
    }

    pub(crate) fn use_route(&self, principal: &Principal, route: &Route, context: RouteContext<'_>) -> Question {
        let capability = context.capability;
        let mut circumstances = shared_circumstances(context.environment, capability);
        circumstances.push(("dataClass".to_owned(), level(context.data_class as u8)));
        circumstances.push(("controlLevel".to_owned(), level(capability.facts().control_level as u8)));
        circumstances.push(("capability".to_owned(), entity(capability.uid.clone())));
        Question {
            principal: principal.uid.clone(),
            action: self.use_route.clone(),
            resource: route.uid.clone(),
            circumstances,
            entities: vec![principal.entity.clone(), route.entity.clone(), capability.entity.clone()],
        }
    }

    pub(crate) fn reveal(&self, principal: &Principal, content: &Content, context: RevealContext<'_>) -> Question {
        Question {
            principal: principal.uid.clone(),
            action: self.reveal.clone(),
            resource: content.uid.clone(),
            circumstances: vec![
                ("environment".to_owned(), text(context.environment.as_str())),
                ("redacted".to_owned(), boolean(context.redacted)),
                ("secondPerson".to_owned(), boolean(context.second_person)),
                ("reasonGiven".to_owned(), boolean(context.reason_given)),
            ],
            entities: vec![principal.entity.clone(), content.entity.clone()],
        }
    }

    /// Whether a schema knows reveals; one that was written before there were any does not.
    pub(crate) fn are_reveals_known(&self, schema: &Schema) -> bool {
        schema.actions().any(|action| *action == self.reveal)
    }
}

impl Question {
    /// The question and the entities it is about; with a schema, only if both conform to it.
    pub(crate) fn ready(self, schema: Option<&Schema>) -> Result<(Request, Entities), String> {
        let context = Context::from_pairs(self.circumstances).map_err(|error| chain(&error))?;
        let entities = Entities::from_entities(self.entities, schema).map_err(|error| chain(&error))?;
        let request = Request::new(self.principal, self.action, self.resource, context, schema).map_err(|error| chain(&error))?;
        Ok((request, entities))
    }
}

/// The error with its causes: the engine says the entity first and what is wrong with it beneath.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn shared_circumstances(environment: &Environment, capability: &Capability) -> Vec<(String, RestrictedExpression)> {
    let mut pairs = Vec::with_capacity(5);
    pairs.push(("environment".to_owned(), text(environment.as_str())));
    pairs.extend(capability.facts().workflow.as_ref().map(|workflow| ("workflow".to_owned(), text(workflow.as_str()))));
    pairs
}
