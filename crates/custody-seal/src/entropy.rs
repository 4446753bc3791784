//! Where randomness comes from: a port, because this crate draws none itself and tests replay theirs.

/// A source of unpredictable bytes; in the product the operating system's.
pub trait Entropy: Send {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// When there is no randomness to be had; nothing may then be sealed.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError>;
}

/// The source of randomness failed, or handed out only zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct NoEntropyError;

/// Draws at least sixteen bytes. All zeros are a source that does nothing, and would make every key the same.
pub(crate) fn draw_into(entropy: &mut dyn Entropy, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
    entropy.fill(bytes)?;
    if bytes.iter().all(|byte| *byte == 0) { Err(NoEntropyError) } else { Ok(()) }
}

pub(crate) fn draw<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N], NoEntropyError> {
    let mut bytes = [0; N];
    draw_into(entropy, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Result<u8, NoEntropyError>);

    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropyError> {
            bytes.fill(self.0?);
            Ok(())
        }
    }

    #[test]
    fn a_source_that_fails_or_does_nothing_is_refused() {
        assert_eq!(draw::<16>(&mut Fixed(Err(NoEntropyError))), Err(NoEntropyError));
        assert_eq!(draw::<16>(&mut Fixed(Ok(0))), Err(NoEntropyError));
        assert_eq!(draw::<16>(&mut Fixed(Ok(7))), Ok([7; 16]));
    }
}
