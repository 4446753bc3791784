//! Whether log and trail tell the same of a call.

use custody_types::TokenUsage;

use super::LoggedCall;
use crate::finding::Finding;

impl LoggedCall {
    /// Whether the record has the counts that were recorded; none where none were. A record without counts says that nothing was used.
    /// One that does not tell lifetimes of cache writes is held to their sum, and reasoning is not in the log.
    #[must_use]
    pub fn agrees_with(&self, recorded: Option<&TokenUsage>) -> bool {
        match (self.normalised(), recorded) {
            (Ok(logged), Some(recorded)) => self.same(&logged.usage, recorded),
            (Ok(logged), None) => logged.usage == TokenUsage::default(),
            (Err(Finding::UsageUnknown), recorded) => recorded.is_none_or(|recorded| *recorded == TokenUsage::default()),
            (Err(Finding::UsageInconsistent | Finding::MissingPrice | Finding::AmountOutOfRange), _) => false,
        }
    }

    fn same(&self, logged: &TokenUsage, recorded: &TokenUsage) -> bool {
        let writes = |usage: &TokenUsage| {
            let told = self.raw.as_ref().is_some_and(|raw| raw.cache_details.is_some());
            let sum = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
            if told { (usage.cache_write_5m, usage.cache_write_1h) } else { (sum, 0) }
        };
        let plain = |usage: &TokenUsage| (usage.input, usage.cache_read, usage.output);
        plain(logged) == plain(recorded) && writes(logged) == writes(recorded)
    }
}
