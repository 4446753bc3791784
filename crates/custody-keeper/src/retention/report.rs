//! What is kept, until when, and what a hold keeps longer.

use std::collections::BTreeMap;

use custody_seal::edge::EdgeDay;
use custody_types::Timestamp;
use serde::Serialize;

use super::{due::key_goes_on, needed::last_expiry_by_key, run::Retention};
use crate::forgetting::{ForgetError, Held, PlannedKey, RowCount, shown_day};

/// What retention sees now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetentionReport {
    /// Texts by tenant, purpose and class.
    pub texts: Vec<ClassLine>,
    /// Unit keys.
    pub unit_keys: Vec<KeyLine>,
    /// Edge keys.
    pub edge_keys: Vec<EdgeLine>,
    /// A run that was cut off, and that the next run ends first.
    pub unfinished_run: Option<String>,
}

/// Texts that are kept alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassLine {
    /// Tenant.
    pub tenant: String,
    /// Why they are kept.
    pub purpose: String,
    /// How long.
    pub retention_class: String,
    /// All.
    pub kept: RowCount,
    /// Of these, due.
    pub due: RowCount,
    /// Of these, texts whose key a hold keeps.
    pub held: RowCount,
    /// The day on which the first goes.
    pub first_goes_on: String,
    /// The day on which the last goes.
    pub last_goes_on: String,
}

/// A unit key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyLine {
    /// What it covers.
    #[serde(flatten)]
    pub key: PlannedKey,
    /// Texts under it.
    pub texts: RowCount,
    /// When it is destroyed, as far as its texts go that are kept now; a text that comes may move it.
    pub destroyed_on: String,
    /// Holds that keep it beyond that.
    pub held_by: Vec<String>,
}

/// An edge key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeLine {
    /// Its day.
    pub day: String,
    /// When it is destroyed, where nothing is parked under it then.
    pub destroyed_at: Timestamp,
    /// Objects with texts that wait for their key service.
    pub parked: u64,
}

impl Retention {
    /// What is kept now.
    ///
    /// # Errors
    /// When a store or the table fails.
    pub async fn report(&self) -> Result<RetentionReport, ForgetError> {
        let today = EdgeDay::of(self.parts.clock.now()).number();
        let held = Held::read(self.vault(), self.table()).await?;
        let groups = self.table().inventory().await.map_err(ForgetError::at("reading what is kept"))?;
        let keys = self.vault().unit_keys(None).await.map_err(ForgetError::at("listing the keys"))?;
        let holds: BTreeMap<_, _> = keys.iter().map(|key| (key.id, held.by(key))).collect();
        let mut lines: BTreeMap<_, (RowCount, RowCount, RowCount, i32, i32)> = BTreeMap::new();
        let mut under: BTreeMap<_, RowCount> = BTreeMap::new();
        for group in &groups {
            let name = (group.tenant.to_string(), group.purpose.to_string(), group.retention_class.to_string());
            let day = group.expires_on;
            let line = lines.entry(name).or_insert_with(|| (RowCount::default(), RowCount::default(), RowCount::default(), day, day));
            line.0 = line.0.plus(group.count);
            line.1 = if day <= today { line.1.plus(group.count) } else { line.1 };
            line.2 = if group.key.and_then(|key| holds.get(&key)).is_some_and(|holds| !holds.is_empty()) {
                line.2.plus(group.count)
            } else {
                line.2
            };
            line.3 = line.3.min(day);
            line.4 = line.4.max(day);
            if let Some(key) = group.key {
                let sum = under.entry(key).or_default();
                *sum = sum.plus(group.count);
            }
        }
        let last = last_expiry_by_key(&groups);
        let unit_keys = keys.iter().map(|key| KeyLine {
            key: PlannedKey::from(key),
            texts: under.get(&key.id).copied().unwrap_or_default(),
            destroyed_on: shown_day(key_goes_on(&key.unit, last.get(&key.id).copied(), self.parts.stream)),
            held_by: holds.get(&key.id).cloned().unwrap_or_default(),
        });
        let texts = lines.into_iter().map(|((tenant, purpose, retention_class), (kept, due, held, first, last))| ClassLine {
            tenant,
            purpose,
            retention_class,
            kept,
            due,
            held,
            first_goes_on: shown_day(first),
            last_goes_on: shown_day(last),
        });
        Ok(RetentionReport {
            texts: texts.collect(),
            unit_keys: unit_keys.collect(),
            edge_keys: self.edge_lines().await?,
            unfinished_run: self.unfinished().await?.map(|plan| plan.id),
        })
    }

    async fn edge_lines(&self) -> Result<Vec<EdgeLine>, ForgetError> {
        let parked = self.vault().parked_days().await.map_err(ForgetError::at("listing parked texts"))?;
        let days = self.vault().edge_days().await.map_err(ForgetError::at("listing the edge keys"))?;
        let line = |day: EdgeDay| EdgeLine {
            day: shown_day(day.number()),
            destroyed_at: self.parts.stream.edge_key_goes_at(day),
            parked: parked.get(&day).copied().unwrap_or_default(),
        };
        Ok(days.into_iter().map(line).collect())
    }
}
