//! What is kept, in groups that expire alike.

use std::collections::BTreeMap;

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Date32Type,
};

use super::read::Columns;
use crate::{error::StoreError, reader::LakeReader};

/// Texts of one tenant, person, purpose and class that expire on one day under one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextGroup {
    /// Whose.
    pub tenant: String,
    /// The person, where the texts name one.
    pub person: Option<String>,
    /// Why they are kept.
    pub purpose: String,
    /// How long.
    pub retention_class: String,
    /// The UTC day, since 1970, from which they are no longer kept.
    pub expires_on: i32,
    /// The unit key that opens them, in hex; none where they never opened or were forgotten before they came.
    pub unit_key: Option<String>,
}

/// Columns that tell the group.
const COLUMNS: &[&str] = &["tenant", "person", "purpose", "retention_class", "expires_on", "unit_key", "bytes"];

impl LakeReader {
    /// All groups, with the number of their texts and the bytes of these before sealing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn text_groups(&self) -> Result<BTreeMap<TextGroup, (u64, u64)>, StoreError> {
        let mut groups = BTreeMap::new();
        self.scan_texts(None, Some(COLUMNS), |batch| add(&mut groups, batch)).await?;
        Ok(groups)
    }
}

fn add(groups: &mut BTreeMap<TextGroup, (u64, u64)>, batch: &RecordBatch) -> Option<()> {
    let table = Columns(batch);
    let expires = batch.column_by_name("expires_on")?.as_primitive_opt::<Date32Type>()?;
    for row in 0..batch.num_rows() {
        let group = TextGroup {
            tenant: table.text("tenant", row)?,
            person: table.text("person", row),
            purpose: table.text("purpose", row)?,
            retention_class: table.text("retention_class", row)?,
            expires_on: expires.value(row),
            unit_key: table.text("unit_key", row),
        };
        let (texts, bytes) = groups.entry(group).or_insert((0_u64, 0_u64));
        *texts = texts.saturating_add(1);
        *bytes = bytes.saturating_add(u64::try_from(table.long("bytes", row)?).unwrap_or_default());
    }
    Some(())
}
