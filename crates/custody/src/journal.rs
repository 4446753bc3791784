//! The gateway's journal, as every deployment opens it.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use custody_log::{FileDisk, Journal, JournalConfig, OpenReport};
use custody_types::{IdSource, JournalId};

/// Opens the journal in a folder, and tells the log what was found. `consumer` is whose progress frees its segments.
pub fn open(folder: &Path, bound_bytes: u64, consumer: &str, ids: &dyn IdSource) -> Result<(Journal, OpenReport)> {
    let disk = FileDisk::open(folder).with_context(|| format!("the journal's folder `{}` cannot be used", folder.display()))?;
    let mut config = JournalConfig::new(JournalId::from_uuid(*ids.request_id().as_uuid()));
    config.max_total_bytes = bound_bytes;
    config.consumers = vec![consumer.to_owned()];
    let (journal, report) = Journal::open(config, Arc::new(disk))?;
    tell(&report);
    Ok((journal, report))
}

fn tell(report: &OpenReport) {
    let recovery = &report.recovery;
    tracing::info!(source = %recovery.source, first = %recovery.first, end = %recovery.end, "journal opened");
    if let Some(torn) = &recovery.torn {
        tracing::warn!(
            segment = torn.segment,
            offset = torn.offset,
            bytes = torn.bytes,
            kept = torn.quarantine,
            "a torn tail was set aside"
        );
    }
    if recovery.copied {
        tracing::error!(
            "the journal's folder is a copy: if the original is still written, both use one name; events are kept, and told apart by their ids"
        );
    }
    if !recovery.damaged.is_empty() {
        tracing::error!(records = recovery.damaged.len(), "records were altered on disk; they are kept as dead letters");
    }
}
