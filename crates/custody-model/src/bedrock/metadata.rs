//! Labels that the provider writes beside the call into its own log (`requestMetadata`), so that its log and our events can be
//! joined. They are ours alone: a caller's tags never go there. They do not reach the bill (REFERENCE 2).

use std::collections::BTreeMap;

use custody_dialect::converse::is_metadata;

use crate::ModelCall;

/// Our request id, and the tenant's pseudonym. A value that the provider would refuse is left out rather than the request.
pub(super) fn labels(call: &ModelCall) -> BTreeMap<String, String> {
    let labels = [("custody_request", Some(&call.request_id)), ("custody_tenant", call.tenant.as_ref())];
    let stated = labels.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_string())));
    stated.filter(|(_, value)| is_metadata(value)).collect()
}
