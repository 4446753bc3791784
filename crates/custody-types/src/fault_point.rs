//! Named places between two durable steps, where tests end the process to see that the next start goes on rightly.
//!
//! A build that watches nothing pays one load. Only the binary watches, and only in builds with debug assertions.

use std::sync::OnceLock;

static WATCHER: OnceLock<fn(&'static str)> = OnceLock::new();

/// The process is at a named place.
pub fn fault_point(name: &'static str) {
    if let Some(watcher) = WATCHER.get() {
        watcher(name);
    }
}

/// Has a function called at each named place from now on; the first watcher stays.
pub fn watch_fault_points(watcher: fn(&'static str)) {
    let _ = WATCHER.set(watcher);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    static SEEN: AtomicU32 = AtomicU32::new(0);

    #[test]
    fn a_watcher_sees_each_place_from_then_on() {
        fault_point("before");
        watch_fault_points(|name| {
            assert_eq!(name, "here");
            SEEN.fetch_add(1, Ordering::SeqCst);
        });
        fault_point("here");
        fault_point("here");
        assert_eq!(SEEN.load(Ordering::SeqCst), 2);
    }
}
