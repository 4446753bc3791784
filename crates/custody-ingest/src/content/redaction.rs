//! What is taken out of the text that analysts see, by the name that a record gives.

use std::{collections::BTreeMap, fmt, sync::Arc};

use custody_redact::{Redacted, Redactor, Rules, RulesError};
use custody_seal::{PseudonymKey, SecretBytes};

/// The rules for records that name none that are known.
const DEFAULT: &str = "default";

/// Named redaction rules, ready for use.
#[derive(Clone)]
pub struct RedactionRules {
    named: BTreeMap<String, Arc<Redactor>>,
    default: Arc<Redactor>,
}

/// Rules that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("redaction rules `{name}`: {source}")]
pub struct RedactionRulesError {
    name: String,
    #[source]
    source: RulesError,
}

impl RedactionRules {
    /// Builds the rules of a deployment. Where none is called `default`, that finds everything that can be found.
    ///
    /// # Errors
    /// When words or patterns of one can't be used.
    pub fn new(rules: &BTreeMap<String, Rules>) -> Result<Self, RedactionRulesError> {
        let build = |name: &str, rules: &Rules| {
            Redactor::new(rules).map(Arc::new).map_err(|source| RedactionRulesError { name: name.to_owned(), source })
        };
        let mut named = BTreeMap::new();
        for (name, rules) in rules {
            named.insert(name.clone(), build(name, rules)?);
        }
        let default = match named.get(DEFAULT) {
            Some(default) => Arc::clone(default),
            None => build(DEFAULT, &Rules::default())?,
        };
        Ok(Self { named, default })
    }

    /// Whether these rules put pseudonyms in place of something, so that they need the tenant's key.
    pub(super) fn ask_for_pseudonyms(&self, name: &str) -> bool {
        self.redactor(name).asks_for_pseudonyms()
    }

    /// What is left of a text, and how many of each kind went. Bytes that are no text are replaced. Without a key, what the rules ask
    /// pseudonyms for is masked.
    pub(super) fn redact(&self, name: &str, text: &SecretBytes, key: Option<&PseudonymKey>) -> (SecretBytes, BTreeMap<String, u64>) {
        let redactor = self.redactor(name);
        let redacted = match std::str::from_utf8(text.expose()) {
            Ok(text) => redact(redactor, text, key),
            Err(_) => {
                let readable = SecretBytes::new(String::from_utf8_lossy(text.expose()).into_owned().into_bytes());
                redact(redactor, std::str::from_utf8(readable.expose()).unwrap_or_default(), key)
            }
        };
        (SecretBytes::new(redacted.text.into_bytes()), redacted.counts)
    }

    fn redactor(&self, name: &str) -> &Redactor {
        self.named.get(name).unwrap_or(&self.default)
    }
}

fn redact(redactor: &Redactor, text: &str, key: Option<&PseudonymKey>) -> Redacted {
    match key {
        Some(key) => redactor.redact_with(text, &|entity, value| key.pseudonym(entity.name(), value)),
        None => redactor.redact(text),
    }
}

impl fmt::Debug for RedactionRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactionRules").field("names", &self.named.keys()).finish_non_exhaustive()
    }
}
