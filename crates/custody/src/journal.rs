//! The gateway's journal, as every deployment opens it.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use custody_gateway::{recover, workspace::Workspace};
use custody_log::{FileDisk, Journal, JournalConfig, OpenReport};
use custody_types::{Clock, IdSource, JournalId};

/// Opens the journal in a folder, and tells the log what was found. `consumer` is whose progress frees its segments.
pub fn open(folder: &Path, bound_bytes: u64, consumer: &str, ids: &dyn IdSource) -> Result<(Journal, OpenReport)> {
    let reserve = JournalConfig::new(JournalId::from_uuid(uuid::Uuid::nil())).outcome_reserve_bytes;
    open_reserving(folder, bound_bytes, consumer, reserve, ids)
}

/// The same with so much room kept for closing each request.
pub fn open_reserving(
    folder: &Path,
    bound_bytes: u64,
    consumer: &str,
    reserve_bytes: u64,
    ids: &dyn IdSource,
) -> Result<(Journal, OpenReport)> {
    let disk = FileDisk::open(folder).with_context(|| format!("the journal's folder `{}` cannot be used", folder.display()))?;
    let mut config = JournalConfig::new(JournalId::from_uuid(*ids.request_id().as_uuid()));
    config.max_total_bytes = bound_bytes;
    config.outcome_reserve_bytes = reserve_bytes;
    config.consumers = vec![consumer.to_owned()];
    let (journal, report) = Journal::open(config, Arc::new(disk))?;
    tell(&report);
    Ok((journal, report))
}

/// Gives the requests that an earlier run left open their outcome.
pub async fn close_earlier_requests(report: OpenReport, workspace: &Workspace, clock: &dyn Clock, ids: &dyn IdSource) -> Result<()> {
    let recovered = recover(report.open_requests, workspace, clock, ids).await?;
    if recovered.closed > 0 {
        tracing::warn!(closed = recovered.closed, unreadable = recovered.unreadable, "requests of an earlier run got their outcome");
    }
    Ok(())
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
