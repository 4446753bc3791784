//! OpenAI-compatible servers in `custody.toml`: where one is, what goes with each call, and whether it is asked how it is (PAT-04).

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use custody_config::Reader;
use custody_model::openai_compatible::headers;

use super::routes::{SecretReference, read_secret, read_url};

/// Each costs bytes of every call, and servers bound all headers together at a few KiB.
const MAX_HEADERS: usize = 16;

/// A server that speaks OpenAI's chat completions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAiProvider {
    /// Where, up to and including `/v1`.
    pub base_url: String,
    /// Where its key is.
    pub api_key: Option<SecretReference>,
    /// Headers of every call, which are no secrets.
    pub headers: BTreeMap<String, String>,
    /// Headers of every call that are secrets.
    pub secret_headers: BTreeMap<String, SecretReference>,
    /// The authorities that its certificate must come from, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether it is told whom a call is for and what for.
    pub labels: bool,
    /// Whether and how it is asked how it is.
    pub probe: Option<ProbeRule>,
}

/// How a server is asked how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeRule {
    /// How long after an answer it is asked again.
    pub every: Duration,
    /// Whether it is asked how busy it is, too.
    pub capacity: bool,
}

pub(super) fn read_provider(reader: &Reader<'_>) -> Option<OpenAiProvider> {
    let meaning = "an https URL, or an http URL on this machine, such as http://127.0.0.1:8000/v1";
    let base_url = read_url(reader, "base_url", meaning);
    let api_key = read_secret(reader);
    let headers = read_headers(reader);
    let secret_headers = read_secret_headers(reader, &headers);
    if headers.len() + secret_headers.len() > MAX_HEADERS {
        reader.mistake("headers", "and `header_env` hold more than 16 headers", "use fewer");
    }
    let ca_file = reader.optional_text("ca_file", "the path of a file of certificates (PEM)").map(PathBuf::from);
    if ca_file.is_some() && base_url.as_ref().is_some_and(|url| url.starts_with("http:")) {
        reader.mistake("ca_file", "stands beside a base_url without TLS", "use an https URL, or remove it");
    }
    let labels = reader.flag("labels", false);
    let probe = read_probe(reader);
    Some(OpenAiProvider { base_url: base_url?, api_key, headers, secret_headers, ca_file, labels, probe })
}

fn read_headers(reader: &Reader<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in reader.texts("headers", "a header's value") {
        let key = format!("headers.{name}");
        if let Some(problem) = headers::name_problem(name) {
            reader.mistake(&key, problem, "use another header, in lower case");
        } else if headers::is_secret(name) {
            reader.mistake(&key, "would hold a secret", "name the environment variable that holds it under `header_env`");
        } else if let Some(problem) = headers::value_problem(value) {
            reader.mistake(&key, problem, "use 1 to 1024 printable ASCII characters");
        } else {
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    found
}

fn read_secret_headers(reader: &Reader<'_>, plain: &BTreeMap<String, String>) -> BTreeMap<String, SecretReference> {
    let mut found = BTreeMap::new();
    for (name, variable) in reader.texts("header_env", "the name of an environment variable") {
        let key = format!("header_env.{name}");
        if let Some(problem) = headers::name_problem(name) {
            reader.mistake(&key, problem, "use another header, in lower case");
        } else if plain.contains_key(name) {
            reader.mistake(&key, "stands in `headers`, too", "state it once");
        } else if !is_variable(variable) {
            reader.mistake(&key, "is no name of an environment variable", "use letters, digits and _");
        } else {
            found.insert(name.to_owned(), SecretReference::Environment(variable.to_owned()));
        }
    }
    found
}

/// Most secrets that were put in the place of a variable's name do not look like one; they are refused without being quoted.
fn is_variable(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.len() <= 128 && name.bytes().all(fine)
}

fn read_probe(reader: &Reader<'_>) -> Option<ProbeRule> {
    let every = Duration::from_secs(reader.number("probe_seconds", 1..=3600, 30));
    let capacity = reader.flag("capacity_metrics", false);
    if reader.flag("probe", false) {
        return Some(ProbeRule { every, capacity });
    }
    for key in ["probe_seconds", "capacity_metrics"].into_iter().filter(|key| reader.has(key)) {
        reader.mistake(key, "stands without `probe = true`", "set it, or remove this");
    }
    None
}

#[cfg(test)]
mod tests;
