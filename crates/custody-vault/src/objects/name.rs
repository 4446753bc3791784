//! Names of objects: relative, of plain segments, the same in a folder and on S3.

use std::{fmt, str::FromStr, sync::Arc};

const MAX_NAME_BYTES: usize = 900;
const MAX_SEGMENT_BYTES: usize = 200;
/// Stands before a label that would read as something else.
const ESCAPE: char = '!';
/// Stands for the `/` of a label.
const SLASH: char = '=';
/// Stands where a label could, for none.
const NONE: &str = "_";

/// One to 900 characters: segments of 1 to 200 characters of `A-Z a-z 0-9 . _ - : @ + = !`, divided by `/`. No segment begins with
/// a point, so that neither `..` nor a hidden file can be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Arc<str>);

/// The text can't be the name of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` can't be the name of a vault object")]
pub struct InvalidObjectNameError(String);

impl InvalidObjectNameError {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.chars().take(64).filter(|c| !c.is_control()).collect())
    }
}

impl ObjectName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A label as a segment: `/` becomes `=`, and a label that begins with a point or is `_` gets a `!` before it. Neither
    /// character stands in labels, so two labels never share a segment.
    #[must_use]
    pub fn label(label: &str) -> String {
        let escaped = label.replace('/', &SLASH.to_string());
        if escaped.starts_with('.') || escaped == NONE { format!("{ESCAPE}{escaped}") } else { escaped }
    }

    /// A label, or `_` for none.
    #[must_use]
    pub fn label_or_none(label: Option<&str>) -> String {
        label.map_or_else(|| NONE.to_owned(), Self::label)
    }

    /// The label that a segment stands for; none for `_`.
    #[must_use]
    pub fn read_label(segment: &str) -> Option<String> {
        if segment == NONE {
            return None;
        }
        Some(segment.strip_prefix(ESCAPE).unwrap_or(segment).replace(SLASH, "/"))
    }

    /// Its segments.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment.
    #[must_use]
    pub fn file(&self) -> &str {
        self.segments().next_back().unwrap_or_default()
    }

    /// A name below this one.
    ///
    /// # Errors
    /// When the segment can't be part of a name.
    pub fn join(&self, segment: &str) -> Result<Self, InvalidObjectNameError> {
        format!("{}/{segment}", self.0).parse()
    }
}

impl FromStr for ObjectName {
    type Err = InvalidObjectNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=MAX_NAME_BYTES).contains(&text.len()) && text.split('/').all(is_segment) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(InvalidObjectNameError::of(text))
        }
    }
}

fn is_segment(segment: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:@+=!".contains(&byte);
    (1..=MAX_SEGMENT_BYTES).contains(&segment.len()) && !segment.starts_with('.') && segment.bytes().all(allowed)
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", "/", "/etc", "a//b", "a/", "..", "a/../b", "a/./b", ".hidden", "a/.tmp", "a b", "a\\b", "a%2fb", "ä", "a\0"] {
            assert!(name.parse::<ObjectName>().is_err(), "{name}");
        }
        for name in ["a".repeat(201), "a/".repeat(500)] {
            assert!(name.parse::<ObjectName>().is_err(), "{name}");
        }
        assert!("units/acme/p-1:x@y+z/quality/24322/0011.key".parse::<ObjectName>().is_ok());
    }

    #[test]
    fn every_label_has_a_segment_of_its_own() {
        let labels = ["_", "__", ".", "..", ".a", "a/b", "a.b", "/", "/_", "_/", "a:b", "a@b+c-d"];
        let segments: std::collections::BTreeSet<String> = labels.iter().map(|label| ObjectName::label(label)).collect();
        assert_eq!(segments.len(), labels.len(), "{segments:?}");
        assert!(!segments.contains("_"), "that one stands for none");
        for label in labels {
            let segment = ObjectName::label(label);
            assert!(is_segment(&segment), "{segment}");
            assert_eq!(ObjectName::read_label(&segment).as_deref(), Some(label));
        }
        assert_eq!(ObjectName::read_label(&ObjectName::label_or_none(None)), None);
        assert!(is_segment(&ObjectName::label(&"/".repeat(128))), "the longest label fits");
    }
}
