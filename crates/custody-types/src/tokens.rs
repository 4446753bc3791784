//! Normalised token counts (D11). Providers disagree on whether cached tokens stand inside the input count; here they always do.

/// What one attempt used, after normalisation. `input` includes `cache_read` and both cache writes; `output` includes `reasoning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// All input tokens.
    pub input: u64,
    /// Input tokens that were read from a prompt cache.
    pub cache_read: u64,
    /// Input tokens that were written to a cache kept for five minutes, or of unstated lifetime.
    pub cache_write_5m: u64,
    /// Input tokens that were written to a cache kept for an hour.
    pub cache_write_1h: u64,
    /// All output tokens.
    pub output: u64,
    /// Output tokens that the model spent on reasoning.
    pub reasoning: u64,
}

impl TokenUsage {
    /// Input tokens that are charged at the plain input price.
    #[must_use]
    pub fn uncached_input(&self) -> u64 {
        self.input.saturating_sub(self.cache_read).saturating_sub(self.cache_write_5m).saturating_sub(self.cache_write_1h)
    }
}
