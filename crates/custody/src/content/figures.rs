//! How the content journal does, for `/metrics`.

use custody_log::JournalStats;

use crate::figures::{Figures, Kind, count};

/// The figures of the content journal.
pub fn add_figures(figures: &mut Figures, stats: &JournalStats) {
    let gauges = [
        ("custody_content_journal_failed", "1 once the content journal takes nothing more", u64::from(stats.failed)),
        (
            "custody_content_journal_kept_records",
            "Records between the first kept and the durable end",
            stats.durable.get().saturating_sub(stats.first.get()),
        ),
        ("custody_content_journal_open_requests", "Requests whose texts have no end yet", stats.open_requests),
        ("custody_content_journal_bytes", "Bytes of all segments", stats.total_bytes),
        ("custody_content_journal_bytes_limit", "Bound of the bytes of all segments", stats.max_total_bytes),
    ];
    for (name, help, value) in gauges {
        figures.add(Kind::Gauge, name, help, count(value));
    }
    let counters = [
        ("custody_content_journal_records_total", "Records made durable since start", stats.records),
        ("custody_content_journal_refused_total", "Units refused for lack of room", stats.refused_full),
        ("custody_content_journal_orphaned_total", "Requests dropped without an end", stats.orphaned),
    ];
    for (name, help, value) in counters {
        figures.add(Kind::Counter, name, help, count(value));
    }
}
