//! What every deployment gives to ingest: the lake as it asks it, and its figures for `/metrics`.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use custody_ingest::{EventLookup, IngestFigures};
use custody_lake::{LakeReader, StoreError};
use custody_types::{Seq, Source};

use crate::figures::{Figures, Kind, count};

/// The lake as ingest asks it.
pub struct LakeLookup(pub LakeReader);

#[async_trait]
impl EventLookup for LakeLookup {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        self.0.event_ids_at(source, seqs).await
    }
}

/// What ingest counted.
pub fn add_figures(figures: &mut Figures, ingest: &IngestFigures) {
    let counters = [
        ("custody_ingest_records_total", "Records read and settled", ingest.records),
        ("custody_ingest_bytes_total", "Their payload bytes", ingest.bytes),
        ("custody_ingest_rows_total", "Rows stored in the lake", ingest.rows),
        ("custody_ingest_commits_total", "Commits to the table of events", ingest.commits),
        ("custody_ingest_duplicates_total", "Records dropped because the lake had them", ingest.duplicates),
        ("custody_ingest_dead_letters_total", "Records that are kept but are no events", ingest.dead_letters),
        ("custody_ingest_failures_total", "Failures that were tried again", ingest.failures),
        ("custody_ingest_holes_total", "Holes found, in sequences and in the log", ingest.holes),
        ("custody_ingest_missing_records_total", "Records missing in those holes", ingest.missing),
        ("custody_ingest_cloned_records_total", "Records beside another event at the same place", ingest.clones),
        ("custody_ingest_other_alarms_total", "Late records, logs that differ, overtaken commits", ingest.other_alarms),
    ];
    for (name, help, value) in counters {
        figures.add(Kind::Counter, name, help, count(value));
    }
    let stored = ingest.stored.iter().map(|(partition, place)| (format!("partition=\"{partition}\""), count(place.get())));
    figures.add_each(Kind::Gauge, "custody_ingest_stored_position", "Place before which every record is in the lake", stored);
    let age = f64::from(u32::try_from(ingest.last_age_micros.max(0) / 1000).unwrap_or(u32::MAX)) / 1000.0;
    figures.add(Kind::Gauge, "custody_ingest_commit_age_seconds", "Age of the oldest record of the last commit when it landed", age);
}
