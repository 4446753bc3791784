//! Tries the schema with the facts that decisions will bring. A schema of another shape would validate policies against a
//! world that never comes; it is refused here, and not at the first request.

use std::{collections::BTreeSet, error::Error};

use cedar_policy::Schema;
use custody_types::{ControlLevel, DataClass, Environment, Handling};

use crate::{
    facts::{Capability, CapabilityFacts, Content, ContentFacts, Principal, PrincipalFacts, PrincipalKind, Route, RouteFacts, TenantScope},
    mistake::PolicyMistake,
    question::{Actions, InvokeContext, Question, RevealContext, RouteContext},
};

/// What the schema does not accept of the facts that Custody brings.
pub(super) fn refusals(actions: &Actions, schema: &Schema, file: &str) -> Vec<PolicyMistake> {
    let refused = |reason: String| PolicyMistake {
        file: file.to_owned(),
        line: None,
        message: format!("the schema does not accept what every decision brings: {}", reason.replace('\n', " ")),
    };
    match samples(actions, actions.are_reveals_known(schema)) {
        Ok(samples) => samples.into_iter().filter_map(|sample| sample.ready(Some(schema)).err()).map(refused).collect(),
        Err(error) => vec![refused(error.to_string())],
    }
}

/// One question of each kind, for both kinds of principal, with and without what is optional. A schema that leaves reveals out is
/// whole without them; one that names them has them as they come.
fn samples(actions: &Actions, with_reveals: bool) -> Result<Vec<Question>, Box<dyn Error>> {
    let environment: Environment = "probe".parse()?;
    let mut questions = Vec::new();
    for (kind, full) in [(PrincipalKind::User, true), (PrincipalKind::Service, false)] {
        let principal = Principal::new(&principal_facts(kind)?)?;
        let capability = Capability::new(capability_facts(full)?)?;
        let route = Route::new(route_facts(full)?)?;
        questions.push(actions.invoke(&principal, &capability, InvokeContext { environment: &environment }));
        let context = RouteContext { environment: &environment, capability: &capability, data_class: DataClass::Public };
        questions.push(actions.use_route(&principal, &route, context));
        if with_reveals {
            let content = Content::new(&content_facts()?)?;
            let context = RevealContext { environment: &environment, redacted: full, second_person: full, reason_given: full };
            questions.push(actions.reveal(&principal, &content, context));
        }
    }
    Ok(questions)
}

fn principal_facts(kind: PrincipalKind) -> Result<PrincipalFacts, Box<dyn Error>> {
    let groups = BTreeSet::from(["probe".parse()?]);
    Ok(PrincipalFacts { tenant: "probe".parse()?, principal: "probe".parse()?, kind, groups })
}

fn capability_facts(full: bool) -> Result<CapabilityFacts, Box<dyn Error>> {
    Ok(CapabilityFacts {
        name: "probe".parse()?,
        owner: "probe".to_owned(),
        control_level: ControlLevel::Internal,
        data_class: DataClass::Public,
        handling: Handling::Display,
        feature: if full { Some("probe".parse()?) } else { None },
        workflow: if full { Some("probe".parse()?) } else { None },
        tenants: TenantScope::Only(BTreeSet::from(["probe".parse()?])),
    })
}

fn route_facts(full: bool) -> Result<RouteFacts, Box<dyn Error>> {
    Ok(RouteFacts {
        name: "probe".parse()?,
        provider: "probe".to_owned(),
        model: "probe".parse()?,
        region: full.then(|| "probe".to_owned()),
        data_class_ceiling: DataClass::Public,
        tenants: TenantScope::All,
    })
}

fn content_facts() -> Result<ContentFacts, Box<dyn Error>> {
    Ok(ContentFacts {
        id: "probe".to_owned(),
        tenant: "probe".parse()?,
        purpose: "probe".parse()?,
        retention_class: "probe".parse()?,
        data_class: DataClass::Public,
        part: "prompt".to_owned(),
        capability: "probe".parse()?,
    })
}
