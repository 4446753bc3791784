//! Named places at which tests stop a process to kill it. Builds without debug assertions have none of it.

use std::{sync::OnceLock, time::Duration};

use crate::terminal::note;

/// Names the place, such as `erasure.keys.done`.
const AT: &str = "CUSTODY_HALT_AT";

static PLACE: OnceLock<String> = OnceLock::new();

/// Watches for the place that the environment names.
#[expect(clippy::disallowed_methods, reason = "a test names the place by environment, in builds with debug assertions only")]
pub fn watch() {
    let Ok(place) = std::env::var(AT) else { return };
    let _ = PLACE.set(place);
    custody_types::watch_fault_points(|name| {
        if PLACE.get().is_some_and(|place| place == name) {
            note(&format!("halted at {name}"));
            loop {
                std::thread::sleep(Duration::from_secs(3600));
            }
        }
    });
}
