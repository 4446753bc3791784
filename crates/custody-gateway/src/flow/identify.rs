//! Identified: the credential, and nothing else, says who asks and for which tenant (PATH-02).

use std::sync::Arc;

use custody_types::Text;

use super::{Stopped, case::Case, receive::Received};
use crate::{
    front::Asked,
    gateway::Inner,
    http::{Credential, IncomingBody},
    refusal::Refusal,
    stage::Stage,
    workspace::ApiKey,
};

/// A request whose caller is known.
pub(super) struct Identified {
    pub(super) case: Case,
    pub(super) key: Arc<ApiKey>,
    pub(super) asked: Asked,
    pub(super) body: IncomingBody,
    _private: (),
}

pub(super) fn identify(gateway: &Inner, received: Received) -> Result<Identified, Box<Stopped>> {
    let Received { case, asked, credential, named_tenants, body } = received;
    let mut case = case.begin(gateway, Stage::Identify)?;
    let key = match find(gateway, &credential) {
        Ok(key) => key,
        Err(refusal) => return Err(case.stop(refusal)),
    };
    case.hasher = gateway.hasher.tenant(&key.record.tenant.text());
    case.key = Some(Arc::clone(&key));
    if named_tenants.iter().any(|named| named != key.record.tenant.as_str()) {
        return Err(case.stop(tenant_mismatch()));
    }
    Ok(Identified { case, key, asked, body, _private: () })
}

impl Identified {
    pub(super) fn key(&self) -> Arc<ApiKey> {
        Arc::clone(&self.key)
    }

    /// For what is no inference.
    pub(super) fn into_parts(self) -> (Case, IncomingBody) {
        (self.case, self.body)
    }

    pub(super) fn request_id(&self) -> Text {
        Arc::clone(&self.case.id_text)
    }
}

/// The key of a credential.
fn find(gateway: &Inner, credential: &Credential) -> Result<Arc<ApiKey>, Refusal> {
    match credential {
        Credential::Missing => Err(Refusal::unidentified("missing_api_key", "send an API key as `authorization: Bearer ck_…`")),
        Credential::Malformed => {
            Err(Refusal::unidentified("malformed_credential", "the authorization header is not `Bearer ck_…`, or there are several"))
        }
        Credential::Signed => Err(Refusal::unidentified(
            "signed_request",
            "AWS signatures are not accepted here: send an API key as `authorization: Bearer ck_…`, which AWS SDKs do with the key in AWS_BEARER_TOKEN_BEDROCK",
        )),
        Credential::Bearer(token) => {
            let found = gateway.workspace.keys.find(token.expose()).map(Arc::clone);
            found.ok_or_else(|| Refusal::unidentified("invalid_api_key", "the API key is not known here"))
        }
    }
}

/// Naming another tenant is refused and recorded, not ignored: it is a mistake or an attack.
pub(super) fn tenant_mismatch() -> Refusal {
    Refusal::forbidden("tenant_mismatch", "the request names a tenant that its API key does not belong to")
}
