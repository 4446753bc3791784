//! What a request used, tokens and everything else that may be charged.

use std::collections::BTreeMap;

use custody_types::TokenUsage;

use crate::{
    class::{Item, TokenClass},
    finding::Finding,
    normalise,
};

/// What is charged for. The modality counts are parts of the token counts: sound and pictures of uncached input, sound of output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens, normalised.
    pub tokens: TokenUsage,
    /// Of the uncached input, tokens of sound.
    pub input_audio: u64,
    /// Of the uncached input, tokens of pictures.
    pub input_image: u64,
    /// Of the output, tokens of sound.
    pub output_audio: u64,
    /// Items, by kind: pieces, or milliseconds where the kind is a time.
    pub items: BTreeMap<Item, u64>,
}

impl From<TokenUsage> for Usage {
    fn from(tokens: TokenUsage) -> Self {
        Self { tokens, ..Self::default() }
    }
}

impl Usage {
    /// Tokens by class, each token once.
    pub(crate) fn by_class(&self) -> Result<[(TokenClass, u64); 8], Finding> {
        let tokens = &self.tokens;
        let pieces = self.input_audio.checked_add(self.input_image);
        let plain_input = pieces.and_then(|pieces| tokens.uncached_input().checked_sub(pieces));
        let plain_output = tokens.output.checked_sub(self.output_audio);
        match (plain_input, plain_output) {
            (Some(input), Some(output)) if normalise::is_consistent(tokens) => Ok([
                (TokenClass::Input, input),
                (TokenClass::InputAudio, self.input_audio),
                (TokenClass::InputImage, self.input_image),
                (TokenClass::CacheRead, tokens.cache_read),
                (TokenClass::CacheWrite5m, tokens.cache_write_5m),
                (TokenClass::CacheWrite1h, tokens.cache_write_1h),
                (TokenClass::Output, output),
                (TokenClass::OutputAudio, self.output_audio),
            ]),
            _ => Err(Finding::UsageInconsistent),
        }
    }
}
