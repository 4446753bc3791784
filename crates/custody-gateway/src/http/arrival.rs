//! What a request's head says. Caller-made text is bounded here and made safe by the flow.

use custody_types::{SensitiveText, Text};
use hyper::{HeaderMap, Request, body::Incoming, header::HeaderName};

use super::IncomingBody;
use crate::{flow::Wire, front::Asked};

/// A caller's own id is no longer; longer text is not worth correlating.
const MAX_CLIENT_ID: usize = 512;

/// Headers by which a caller names its request, the first one that is there. AWS clients keep the last over their retries.
const CLIENT_IDS: [&str; 3] = ["x-client-request-id", "x-request-id", "amz-sdk-invocation-id"];

/// Headers by which a caller may try to choose a tenant.
const TENANT_HEADERS: [&str; 4] = ["x-custody-tenant", "x-tenant", "x-tenant-id", "tenant"];

/// A governed request as it arrived.
pub(crate) struct Arrival {
    pub(crate) wire: Wire,
    pub(crate) asked: Asked,
    pub(crate) credential: Credential,
    /// The tenants that headers name, all of them; they are compared with the key's, never believed.
    pub(crate) named_tenants: Vec<String>,
    pub(crate) body: IncomingBody,
}

/// What stands in the authorization header.
pub(crate) enum Credential {
    Missing,
    Malformed,
    /// An AWS signature instead of a key. Checking one needs the secret itself, and here only hashes of keys are kept.
    Signed,
    Bearer(SensitiveText),
}

impl Arrival {
    pub(super) fn new(operation: &'static str, asked: Asked, request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        let headers = &head.headers;
        let (trace_id, span_id) = trace(headers);
        let client_request_id = CLIENT_IDS.into_iter().find_map(|name| text(headers, name));
        let front = asked.front();
        let wire = Wire { operation, front, client_request_id: client_request_id.map(bounded), trace_id, span_id };
        let named_tenants = TENANT_HEADERS
            .into_iter()
            .flat_map(|name| headers.get_all(name))
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        let credential = credential(headers, head.uri.query());
        Self { wire, asked, credential, named_tenants, body: IncomingBody::new(headers, body) }
    }
}

/// Several authorization headers are as good as none: two readers could choose differently.
fn credential(headers: &HeaderMap, query: Option<&str>) -> Credential {
    let mut values = headers.get_all(hyper::header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) if query.is_some_and(is_presigned) => Credential::Signed,
        (None, _) => Credential::Missing,
        (Some(value), None) if is_signature(value.as_bytes()) => Credential::Signed,
        (Some(value), None) => {
            let bearer =
                value.to_str().ok().and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            bearer.map_or(Credential::Malformed, |(_, token)| Credential::Bearer(SensitiveText::new(token.trim())))
        }
        (Some(_), Some(_)) => Credential::Malformed,
    }
}

/// `AWS4-HMAC-SHA256 Credential=…` and its kin.
fn is_signature(value: &[u8]) -> bool {
    value.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"AWS4-"))
}

fn is_presigned(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("X-Amz-Signature="))
}

/// The W3C trace context, where it is well-formed: `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace(headers: &HeaderMap) -> (Option<Text>, Option<Text>) {
    let parts: Vec<&str> =
        headers.get("traceparent").and_then(|value| value.to_str().ok()).map(|text| text.split('-').collect()).unwrap_or_default();
    let hex = |part: &str, length: usize| {
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        digits && part.bytes().any(|byte| byte != b'0')
    };
    match parts.as_slice() {
        ["00", trace, span, _] if hex(trace, 32) && hex(span, 16) => (Some(Text::from(*trace)), Some(Text::from(*span))),
        _ => (None, None),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h [u8]> {
    headers.get(HeaderName::from_static(name)).map(hyper::header::HeaderValue::as_bytes).filter(|value| !value.is_empty())
}

fn bounded(value: &[u8]) -> String {
    let value = value.get(..MAX_CLIENT_ID).unwrap_or(value);
    String::from_utf8_lossy(value).into_owned()
}
