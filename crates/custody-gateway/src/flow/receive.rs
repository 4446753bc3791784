//! Received: the request has an id of ours (PATH-01). The caller's own id is kept for correlation only.

use custody_types::RequestId;

use super::{Stopped, case::Case};
use crate::{
    gateway::Inner,
    http::{Arrival, Credential, IncomingBody},
    stage::Stage,
};

/// A request with an id, from nobody yet.
pub(super) struct Received {
    pub(super) case: Case,
    pub(super) credential: Credential,
    pub(super) named_tenants: Vec<String>,
    pub(super) body: IncomingBody,
}

pub(super) fn receive(gateway: &Inner, id: RequestId, arrival: Arrival) -> Result<Received, Box<Stopped>> {
    let case = Case::new(gateway, id, arrival.wire).begin(gateway, Stage::Receive)?;
    Ok(Received { case, credential: arrival.credential, named_tenants: arrival.named_tenants, body: arrival.body })
}
