//! How often each thing happened, so that a run that tests nothing is seen.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

#[derive(Debug, Clone, Default)]
pub struct Coverage {
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    loud: bool,
}

impl Coverage {
    /// Tells each thing as it happens.
    pub fn loud() -> Self {
        Self { loud: true, ..Self::default() }
    }

    pub fn count(&self, what: &str) {
        self.add(what, 1);
    }

    pub fn add(&self, what: &str, times: u64) {
        if self.loud && times > 0 {
            eprintln!("  {what} ({times})");
        }
        *self.counts.lock().expect("not poisoned").entry(what.to_owned()).or_default() += times;
    }

    /// A detail, for a loud run only.
    pub fn note(&self, detail: impl Fn() -> String) {
        if self.loud {
            eprintln!("    {}", detail());
        }
    }

    pub fn of(&self, what: &str) -> u64 {
        self.counts.lock().expect("not poisoned").get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in self.counts.lock().expect("not poisoned").iter() {
            writeln!(f, "  {what:<40} {times:>10}")?;
        }
        Ok(())
    }
}
