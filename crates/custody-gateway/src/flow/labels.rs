//! Whom a call is for and what for, for a provider that keeps labels beside its own log of the call (PATH-11, LOG-36).

use custody_model::CallLabels;

use super::{case::Case, route::Plan};
use crate::{keyed::Purpose, workspace::RouteConfig};

/// The capability's names are the operator's; the tenant's own never leaves.
pub(super) fn of(case: &Case, plan: &Plan, route: &RouteConfig) -> Option<CallLabels> {
    route.provider.takes_labels().then(|| CallLabels {
        tenant: case.hasher.hash(Purpose::Label, plan.key.record.tenant.as_str().as_bytes()),
        feature: plan.capability.feature.text(),
        workflow: plan.capability.workflow.text(),
        capability: plan.capability.name.text(),
    })
}
