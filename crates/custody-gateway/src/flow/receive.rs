//! Received: the request has an id of ours (PATH-01). The caller's own id is kept for correlation only.

use custody_types::RequestId;

use super::{Stopped, case::Case};
use crate::{
    front::Asked,
    gateway::Inner,
    http::{Arrival, Credential, IncomingBody},
    stage::Stage,
};

/// A request with an id, from nobody yet.
pub(super) struct Received {
    pub(super) case: Case,
    pub(super) asked: Asked,
    pub(super) credential: Credential,
    pub(super) named_tenants: Vec<String>,
    pub(super) body: IncomingBody,
}

pub(super) fn receive(gateway: &Inner, id: RequestId, arrival: Arrival) -> Result<Received, Box<Stopped>> {
    let Arrival { wire, asked, credential, named_tenants, body } = arrival;
    let case = Case::new(gateway, id, wire).begin(gateway, Stage::Receive)?;
    Ok(Received { case, asked, credential, named_tenants, body })
}
