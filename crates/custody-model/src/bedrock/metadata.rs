//! Labels that the provider writes beside the call into its own log (`requestMetadata`), so that its log and our events can be
//! joined and its use told apart by feature and workflow (PATH-11, LOG-36). They are ours alone: a caller's tags never go there.
//! They do not reach the bill (REFERENCE 2).

use std::collections::BTreeMap;

use custody_dialect::converse::is_metadata;

use crate::ModelCall;

/// Our request id, the tenant's pseudonym, and the operator's names for what the call is for. A value that the provider would
/// refuse is left out rather than the request.
pub(super) fn labels(call: &ModelCall) -> BTreeMap<String, String> {
    let mut labels = vec![("custody_request", &call.request_id)];
    if let Some(told) = &call.labels {
        labels.push(("custody_tenant", &told.tenant));
        labels.push(("custody_feature", &told.feature));
        labels.push(("custody_workflow", &told.workflow));
        labels.push(("custody_capability", &told.capability));
    }
    let accepted = labels.into_iter().filter(|(_, value)| is_metadata(value));
    accepted.map(|(key, value)| (key.to_owned(), value.to_string())).collect()
}
