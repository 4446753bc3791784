//! What became of texts, for `/metrics`.

use super::Texts;
use crate::{
    figures::{Figures, Kind, count},
    vault_parts::add_key_figures,
};

const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// What the vault step and its loop counted, and what the key service was asked.
pub fn add_figures(figures: &mut Figures, texts: &Texts) {
    let step = texts.step_metrics().figures();
    let by_state = [("kept", step.kept), ("forgotten", step.forgotten), ("unopened", step.unopened)];
    let by_state = by_state.map(|(state, texts)| (format!("state=\"{state}\""), count(texts)));
    figures.add_each(Kind::Counter, "custody_texts_total", "Texts that became rows, by what became of them", by_state);
    let counters = [
        ("custody_texts_parked_total", "Texts that were parked until the vault could keep them", step.parked),
        ("custody_texts_unparked_total", "Parked texts that became rows", step.unparked),
        ("custody_texts_sealed_again_total", "Batches sealed again because a key was destroyed meanwhile", step.staged_again),
    ];
    for (name, help, value) in counters {
        figures.add(Kind::Counter, name, help, count(value));
    }
    let redactions = step.redactions.iter().map(|(kind, found)| (format!("type=\"{kind}\""), count(*found)));
    figures.add_each(Kind::Counter, "custody_text_redactions_total", "What was redacted, by kind", redactions);
    let seconds = count(step.vault_micros) / MICROS_PER_SECOND;
    figures.add(Kind::Counter, "custody_vault_step_seconds_total", "Time spent opening, redacting and sealing texts", seconds);
    let ingest = texts.metrics.figures();
    let counters = [
        ("custody_text_ingest_records_total", "Records of the content stream read and settled", ingest.records),
        ("custody_text_ingest_commits_total", "Commits to the table of texts", ingest.commits),
        ("custody_text_ingest_dead_letters_total", "Records that are kept but are no texts", ingest.dead_letters),
        ("custody_text_ingest_failures_total", "Failures that were tried again", ingest.failures),
        ("custody_text_ingest_holes_total", "Holes found, in sequences and in the log", ingest.holes),
    ];
    for (name, help, value) in counters {
        figures.add(Kind::Counter, name, help, count(value));
    }
    let stored = ingest.stored.iter().map(|(partition, place)| (format!("partition=\"{partition}\""), count(place.get())));
    figures.add_each(Kind::Gauge, "custody_text_ingest_stored_position", "Place before which every text is in the lake or parked", stored);
    let vault = texts.vault();
    add_key_figures(figures, vault.keys.calls(), [vault.units.cached(), vault.pseudonyms.cached()]);
}
