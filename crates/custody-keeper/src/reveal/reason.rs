//! Why somebody wants to see text. It becomes evidence, so what it should not hold is taken out of it.

use custody_redact::Redactor;
use custody_types::Text;

use super::answer::Denial;

/// Most characters: a few sentences and the number of a case.
pub const MAX_REASON: usize = 500;

/// A reason, redacted. Invariant: not empty, bounded, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason(Text);

impl Reason {
    pub(super) fn given(text: &str, redactor: &Redactor) -> Result<Self, Denial> {
        let plain: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
        let plain = plain.trim();
        if plain.is_empty() {
            return Err(Denial::ReasonMissing);
        }
        if plain.chars().count() > MAX_REASON {
            return Err(Denial::ReasonTooLong);
        }
        Ok(Self(Text::from(redactor.redact(plain).text)))
    }

    pub(super) fn text(&self) -> Text {
        Text::clone(&self.0)
    }
}
