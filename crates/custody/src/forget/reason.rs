//! Why something is held or erased. It becomes evidence and outlives what is erased, so what it should not hold is taken out of it.

use anyhow::{Context, Result, bail};

/// Most characters: a few sentences and the number of a case.
const MAX_CHARACTERS: usize = 500;

/// The reason, redacted.
pub fn redacted(text: &str) -> Result<String> {
    let plain: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let plain = plain.trim();
    if plain.is_empty() || plain.chars().count() > MAX_CHARACTERS {
        bail!("--reason takes 1 to {MAX_CHARACTERS} characters");
    }
    Ok(custody_redact::standard().context("the redactor of reasons cannot be made")?.redact(plain).text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_there_bounded_and_redacted() {
        assert!(redacted(" \n").is_err() && redacted(&"x".repeat(501)).is_err());
        let kept = redacted("request by erika@example.org\nof May").unwrap();
        assert!(!kept.contains("erika@example.org") && kept.contains("of May") && !kept.contains('\n'), "{kept}");
    }
}
