//! Headers beside those of the protocol: what the operator adds to every request, and the labels of a call.

use std::collections::BTreeMap;

use custody_types::SensitiveText;
use hyper::header::{HeaderName, HeaderValue};

use crate::CallLabels;

/// Longest value; more is no label, and servers bound all headers together at 8 KiB.
const MAX_VALUE: usize = 1024;

/// Names that the protocol, the client or this gateway sets by itself.
const OURS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "date",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-request-id",
];
const OUR_PREFIXES: [&str; 3] = ["content-", "proxy-", "x-custody-"];

/// How the names of headers end that carry a credential. A plain header whose name ends so by chance can stand under `header_env`, too.
const SECRET_ENDINGS: [&str; 10] =
    ["cookie", "key", "token", "secret", "password", "auth", "authorization", "credential", "credentials", "signature"];

/// Why a header can't have this name.
#[must_use]
pub fn name_problem(name: &str) -> Option<&'static str> {
    if HeaderName::from_lowercase(name.as_bytes()).is_err() {
        return Some("is no header's name in lower case");
    }
    let ours = OURS.contains(&name) || OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    ours.then_some("is a header that is set already")
}

/// Whether a header of this name carries a credential, which no configuration file may hold.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Why a header can't have this value; the value is not quoted.
#[must_use]
pub fn value_problem(value: &str) -> Option<&'static str> {
    if value.trim().is_empty() || value.len() > MAX_VALUE {
        return Some("has a value that is empty, or longer than 1024 characters");
    }
    let fine = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (!fine).then_some("has a value with characters that can't be sent")
}

/// Every header that the operator adds, and what is wrong with the others.
pub(super) fn read(
    plain: &BTreeMap<String, String>,
    secret: &BTreeMap<String, SensitiveText>,
    mistakes: &mut Vec<String>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::with_capacity(plain.len() + secret.len());
    let plain = plain.iter().map(|(name, value)| (name, value.as_str(), false));
    let secret = secret.iter().map(|(name, value)| (name, value.expose().trim(), true));
    for (name, value, is_secret) in plain.chain(secret) {
        match header(name, value, is_secret) {
            Ok(header) => headers.push(header),
            Err(problem) => mistakes.push(format!("headers: `{name}` {problem}")),
        }
    }
    headers
}

fn header(name: &str, value: &str, is_secret: bool) -> Result<(HeaderName, HeaderValue), &'static str> {
    if let Some(problem) = name_problem(name).or_else(|| value_problem(value)) {
        return Err(problem);
    }
    let name = HeaderName::from_lowercase(name.as_bytes()).map_err(|_| "is no header's name")?;
    let mut value = HeaderValue::from_str(value).map_err(|_| "has a value that can't be sent")?;
    value.set_sensitive(is_secret);
    Ok((name, value))
}

/// The labels of a call, for a server whose operator asked for them.
pub(super) fn labels(labels: &CallLabels) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
    let told = [
        ("x-custody-tenant", &labels.tenant),
        ("x-custody-feature", &labels.feature),
        ("x-custody-workflow", &labels.workflow),
        ("x-custody-capability", &labels.capability),
    ];
    told.map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))).into_iter().flatten()
}
