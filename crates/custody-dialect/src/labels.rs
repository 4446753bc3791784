//! Words of a provider that may stand in an event.

use custody_types::{ModelName, Text};

/// The word, where it is a valid label; else nothing, because anything else could be payload.
pub(crate) fn label(word: Option<&str>) -> Option<Text> {
    word?.parse::<ModelName>().ok().map(|name| name.text())
}
