//! What a replay saw, counted.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::client::Seen;

/// Counts and latencies of one replay.
#[derive(Debug, Default)]
pub struct Summary {
    answered: u64,
    retried: u64,
    given_up: u64,
    refused: BTreeMap<String, u64>,
    latencies_us: Vec<u64>,
}

impl Summary {
    pub fn add(&mut self, seen: &Seen, retries: u64, latency: Duration) {
        self.retried += retries;
        match seen {
            Seen::Answered(_) => {
                self.answered += 1;
                self.latencies_us.push(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
            }
            Seen::Refused(status, code) => *self.refused.entry(format!("{} {code}", status.as_u16())).or_default() += 1,
            Seen::CutOff => self.given_up += 1,
        }
    }

    /// Whether every row got an answer.
    pub fn complete(&self) -> bool {
        self.refused.is_empty() && self.given_up == 0
    }

    pub fn finish(&mut self) {
        self.latencies_us.sort_unstable();
    }

    fn percentile(&self, percent: usize) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let micros = self.latencies_us.get(last * percent / 100).copied().unwrap_or_default();
        Duration::from_micros(micros).as_secs_f64() * 1_000.0
    }

    pub fn shown(&self, elapsed: Duration) -> impl fmt::Display {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let rate = f64::from(u32::try_from(self.answered).unwrap_or(u32::MAX)) / seconds;
        let mut text = format!(
            "answered {} of {} in {seconds:.1} s ({rate:.0}/s); latency p50 {:.2} ms, p99 {:.2} ms; cut off and sent again {}; given up {}",
            self.answered,
            self.answered + self.given_up + self.refused.values().sum::<u64>(),
            self.percentile(50),
            self.percentile(99),
            self.retried,
            self.given_up,
        );
        for (code, count) in &self.refused {
            text.push_str(&format!("\nrefused {count} with {code}"));
        }
        text
    }
}
