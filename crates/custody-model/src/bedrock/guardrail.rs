//! The guardrail that a route puts around its model.

use serde::Serialize;

/// A guardrail of ours at the provider. A caller can neither name one nor narrow its view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    /// Its id or ARN.
    pub id: String,
    /// Its version: a number, or `DRAFT`.
    pub version: String,
    /// How much it tells of what it found.
    pub trace: GuardrailTrace,
    /// Whether it looks before or after pieces of a stream go out.
    pub stream: GuardrailStream,
}

/// How much a guardrail tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuardrailTrace {
    /// Only that it stepped in.
    Disabled,
    /// What it found.
    #[default]
    Enabled,
    /// What it looked at and did not find, too.
    Full,
}

/// When a guardrail looks at a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GuardrailStream {
    /// Before a piece goes out.
    #[default]
    Sync,
    /// After it went out. It can't mask then, so it is not for data that must not be seen (REFERENCE 1.6).
    Async,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GuardrailJson<'a> {
    guardrail_identifier: &'a str,
    guardrail_version: &'a str,
    trace: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_processing_mode: Option<&'static str>,
}

impl Guardrail {
    pub(super) fn json(&self, stream: bool) -> GuardrailJson<'_> {
        GuardrailJson {
            guardrail_identifier: &self.id,
            guardrail_version: &self.version,
            trace: self.trace.as_str(),
            stream_processing_mode: stream.then_some(self.stream.as_str()),
        }
    }

    /// What is wrong with it, in a sentence that says what would do.
    #[must_use]
    pub fn mistake(&self) -> Option<String> {
        let id = (1..=2048).contains(&self.id.len()) && self.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-/".contains(&byte));
        if !id {
            return Some(format!("`{}` is no guardrail id or ARN", self.id));
        }
        let digits = (1..=8).contains(&self.version.len()) && self.version.bytes().all(|byte| byte.is_ascii_digit());
        let version = self.version == "DRAFT" || digits && !self.version.starts_with('0');
        (!version).then(|| format!("`{}` is no guardrail version: use a number such as 1, or DRAFT", self.version))
    }
}

impl GuardrailTrace {
    /// All settings.
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Enabled, Self::Full];

    /// The setting's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Full => "enabled_full",
        }
    }
}

impl GuardrailStream {
    /// All settings.
    pub const ALL: [Self; 2] = [Self::Sync, Self::Async];

    /// The setting's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }
}
