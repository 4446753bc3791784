//! `custody vault status`: counts, without opening anything.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc};

use anyhow::Result;
use custody_keeper::hold::Hold;
use custody_types::{Clock, TenantId, Timestamp};
use custody_vault::{Claims, Documents, ParkedRecords, Rewrapper, Tombstones};

use crate::{
    terminal::{say, shown_time},
    vault_parts::{VaultArgs, VaultParts},
};

const MICROS_PER_DAY: i64 = 86_400_000_000;

pub async fn run(place: &VaultArgs, clock: &Arc<dyn Clock>) -> Result<ExitCode> {
    let vault = place.vault()?;
    let parts = vault.open(clock).await?;
    say(&format!("vault {}", vault.root));
    say(&format!("  keys are wrapped by   {}", parts.keys.describe()));
    show_days(&parts).await?;
    show_units(&parts).await?;
    show_rest(&parts).await?;
    for (name, keys) in Rewrapper::new(parts.objects, parts.keys).in_use().await? {
        say(&format!("  wrapping key          {name} wraps {keys}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_days(parts: &VaultParts) -> Result<()> {
    let days = parts.edge.days().await?;
    let shown: Vec<String> = days.iter().map(|day| date(day.number())).collect();
    say(&format!("  keys of days          {}: {}", days.len(), shown.join(" ")));
    if let Some(oldest) = days.first() {
        say(&format!("  the oldest goes at    {}", shown_time(parts.edge.window().destroy_at(*oldest))));
    }
    Ok(())
}

async fn show_units(parts: &VaultParts) -> Result<()> {
    let units = parts.units.list_all().await?;
    let mut by_tenant: BTreeMap<TenantId, usize> = BTreeMap::new();
    for kept in &units {
        *by_tenant.entry(kept.unit.tenant.clone()).or_default() += 1;
    }
    say(&format!("  unit keys             {} of {} tenants", units.len(), by_tenant.len()));
    by_tenant.iter().for_each(|(tenant, keys)| say(&format!("    {tenant:<20}{keys}")));
    let pseudonyms: Vec<String> = parts.pseudonyms.tenants().await?.iter().map(ToString::to_string).collect();
    say(&format!("  keys of pseudonyms    {}: {}", pseudonyms.len(), pseudonyms.join(" ")));
    Ok(())
}

async fn show_rest(parts: &VaultParts) -> Result<()> {
    let claims = Claims::new(Arc::clone(&parts.objects));
    say(&format!("  claim checks          {} of the edge, {} at rest", claims.edge().await?.len(), claims.rest().await?.len()));
    let parked = ParkedRecords::new(Arc::clone(&parts.objects)).list().await?;
    say(&format!("  parked                {} batches of records that could not be opened yet", parked.len()));
    let holds = Documents::<Hold>::new(Arc::clone(&parts.objects)).list().await?;
    let active = holds.iter().filter(|(_, hold)| hold.is_in_force()).count();
    say(&format!("  legal holds           {active} active, {} released", holds.len() - active));
    say(&format!("  forgotten             {} persons and tenants", Tombstones::new(Arc::clone(&parts.objects)).all().await?.len()));
    Ok(())
}

/// A day as a date.
fn date(day: i32) -> String {
    let start = Timestamp::from_micros(i64::from(day).saturating_mul(MICROS_PER_DAY));
    shown_time(start).chars().take(10).collect()
}
