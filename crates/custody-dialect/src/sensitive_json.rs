//! JSON that is kept as it was written, because it is passed on and never interpreted here.

use std::fmt;

use serde_json::value::RawValue;

/// Valid JSON text that may hold payload: tool definitions, tool calls, image parts, an output schema. Like
/// [`SensitiveText`](custody_types::SensitiveText) it can't be printed or serialised; [`SensitiveJson::expose`] is the way to read it.
#[derive(Clone)]
pub struct SensitiveJson(Box<RawValue>);

impl SensitiveJson {
    /// Wraps JSON as soon as it is known to be sensitive.
    #[must_use]
    pub fn new(json: Box<RawValue>) -> Self {
        Self(json)
    }

    /// JSON that this crate puts together; `None` for what is no JSON, such as a map with keys that are no texts.
    pub(crate) fn of(value: &impl serde::Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(value).ok().map(Self)
    }

    /// The JSON text itself. Each call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.get()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.get().len()
    }

    /// Whether there is no text, which valid JSON never is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.get().is_empty()
    }

    /// The same JSON for a serialiser of this crate.
    pub(crate) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl PartialEq for SensitiveJson {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for SensitiveJson {}

impl fmt::Debug for SensitiveJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<sensitive JSON, {} bytes>", self.len())
    }
}
