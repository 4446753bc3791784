//! How far a long query is, on standard error, and only for a person.

use std::time::Duration;

use custody_query::ProgressProbe;
use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar};

/// Shorter queries show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(200);

/// Shows progress until it is dropped; never returns.
pub async fn show(probe: ProgressProbe) {
    tokio::time::sleep(PATIENCE).await;
    let bar = Shown(ProgressBar::new_spinner());
    loop {
        let at = probe.progress();
        let (rows, bytes) = (HumanCount(number(at.rows_scanned)), HumanBytes(number(at.bytes_scanned)));
        let elapsed = HumanDuration(bar.0.elapsed().saturating_add(PATIENCE));
        bar.0.set_message(format!("{elapsed}: {rows} rows read, {bytes}, of {} files; Ctrl-C cancels", at.files));
        bar.0.tick();
        tokio::time::sleep(STEP).await;
    }
}

/// Clears its line when it goes, however it goes.
struct Shown(ProgressBar);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
