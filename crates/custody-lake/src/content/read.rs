//! Sealed texts read back, and their facts counted. A lake in which no text was kept has none.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use custody_types::{LogPosition, Seq, Source, Timestamp};
use deltalake::datafusion::{
    error::DataFusionError,
    prelude::{Expr, SessionContext, col, lit},
};
use futures::StreamExt;

use super::{
    ContentRow, TextState,
    scope::{COLUMNS, ContentScope, Facts},
};
use crate::{error::StoreError, reader::LakeReader};

const READING: &str = "reading texts";

/// Texts of a scope, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextCounts {
    /// All of them.
    pub texts: u64,
    /// Bytes of their texts before sealing.
    pub bytes: u64,
    /// By what became of them.
    pub by_state: BTreeMap<&'static str, u64>,
    /// Units whose keys open them.
    pub units: BTreeSet<TextUnit>,
    /// Where those lie that are too large for a row.
    pub claims: BTreeSet<String>,
}

/// A unit key as rows name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextUnit {
    /// The tenant.
    pub tenant: String,
    /// The person, where the texts name one.
    pub person: Option<String>,
    /// Why the texts are kept.
    pub purpose: String,
    /// The month, since the year 0.
    pub month: i32,
    /// The key's id in hex.
    pub key: String,
}

impl LakeReader {
    /// The texts of a request, sealed, in order of part and ordinal.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn texts_of(&self, request_id: &str) -> Result<Vec<ContentRow>, StoreError> {
        let mut rows = Vec::new();
        self.scan_texts(Some(col("request_id").eq(lit(request_id.to_owned()))), None, |batch| {
            rows.extend(rows_of(batch)?);
            Some(())
        })
        .await?;
        rows.sort_by(|one: &ContentRow, other| (&one.part, one.ordinal, one.position).cmp(&(&other.part, other.ordinal, other.position)));
        Ok(rows)
    }

    /// Counts the texts of a scope, but for those that a hold covers, and names their units and claims.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_texts(&self, scope: &ContentScope, except: &[ContentScope]) -> Result<TextCounts, StoreError> {
        let mut counts = TextCounts::default();
        let of_tenant = scope.tenant().map(|tenant| col("tenant").eq(lit(tenant.to_owned())));
        let columns: Vec<&str> = COLUMNS.iter().copied().chain(["bytes", "unit_month", "claim", "expires_on"]).collect();
        self.scan_texts(of_tenant, Some(&columns), |batch| counts.add(batch, scope, except)).await?;
        Ok(counts)
    }

    /// The unit keys that open the texts of these requests.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn units_of_requests(&self, requests: impl IntoIterator<Item = String>) -> Result<BTreeSet<TextUnit>, StoreError> {
        Ok(self.count_texts(&ContentScope::of_requests(requests), &[]).await?.units)
    }

    /// Every text under the source at these places; a place may have none: it closed a request, waits, or was forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn content_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        let place = |seq: u64| lit(i64::try_from(seq).unwrap_or(i64::MAX));
        let wanted = col("source").eq(lit(source.to_string())).and(col("seq").between(place(*seqs.start()), place(*seqs.end())));
        let mut found = Vec::new();
        self.scan_texts(Some(wanted), Some(&["seq", "content_id"]), |batch| {
            let seqs = batch.column_by_name("seq")?.as_primitive_opt::<Int64Type>()?;
            let ids = batch.column_by_name("content_id")?.as_string_opt::<i32>()?;
            found.extend(seqs.iter().zip(ids).filter_map(|(seq, id)| Some((Seq::new(u64::try_from(seq?).ok()?), id?.to_owned()))));
            Some(())
        })
        .await?;
        Ok(found)
    }

    /// Hands on batch after batch, so that a large table is never in memory at once.
    pub(super) async fn scan_texts(
        &self,
        wanted: Option<Expr>,
        columns: Option<&[&str]>,
        mut each: impl FnMut(&RecordBatch) -> Option<()>,
    ) -> Result<(), StoreError> {
        let Some(content) = self.content().await? else { return Ok(()) };
        let mut texts = SessionContext::new().read_table(content).map_err(StoreError::storage(READING))?;
        if let Some(wanted) = wanted {
            texts = texts.filter(wanted).map_err(StoreError::storage(READING))?;
        }
        if let Some(columns) = columns {
            texts = texts.select_columns(columns).map_err(StoreError::storage(READING))?;
        }
        let mut batches = texts.execute_stream().await.map_err(StoreError::storage(READING))?;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(StoreError::storage(READING))?;
            let missing = || DataFusionError::Internal("a column of texts is not as it was written".to_owned());
            each(&batch).ok_or_else(missing).map_err(StoreError::storage(READING))?;
        }
        Ok(())
    }
}

impl TextCounts {
    fn add(&mut self, batch: &RecordBatch, scope: &ContentScope, except: &[ContentScope]) -> Option<()> {
        let facts = Facts::of(batch)?;
        let table = Columns(batch);
        let expires = batch.column_by_name("expires_on")?.as_primitive_opt::<Date32Type>()?;
        for row in 0..batch.num_rows() {
            let day = expires.value(row);
            let is_held = except.iter().any(|hold| hold.covers(&facts, row, day));
            if is_held || !scope.covers(&facts, row, day) {
                continue;
            }
            self.texts = self.texts.saturating_add(1);
            self.bytes = self.bytes.saturating_add(u64::try_from(table.long("bytes", row)?).unwrap_or_default());
            *self.by_state.entry(TextState::parse(&table.text("state", row)?)?.as_str()).or_default() += 1;
            self.claims.extend(table.text("claim", row));
            if let (Some(key), Some(month)) = (table.text("unit_key", row), table.int("unit_month", row)) {
                let (tenant, person, purpose) = (table.text("tenant", row)?, table.text("person", row), table.text("purpose", row)?);
                self.units.insert(TextUnit { tenant, person, purpose, month, key });
            }
        }
        Some(())
    }
}

/// The columns of a batch, by name.
pub(super) struct Columns<'a>(pub(super) &'a RecordBatch);

impl Columns<'_> {
    pub(super) fn text(&self, name: &str, row: usize) -> Option<String> {
        let column = self.0.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    }

    fn bytes(&self, name: &str, row: usize) -> Option<Vec<u8>> {
        let column = self.0.column_by_name(name)?.as_binary_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_vec())
    }

    pub(super) fn long(&self, name: &str, row: usize) -> Option<i64> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    pub(super) fn int(&self, name: &str, row: usize) -> Option<i32> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }
}

fn rows_of(batch: &RecordBatch) -> Option<Vec<ContentRow>> {
    let table = Columns(batch);
    let times = batch.column_by_name("time")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    let expires = batch.column_by_name("expires_on")?.as_primitive_opt::<Date32Type>()?;
    let number = |name: &str, row: usize| u64::try_from(table.long(name, row)?).ok();
    let row = |row: usize| {
        Some(ContentRow {
            content_id: table.text("content_id", row)?,
            request_id: table.text("request_id", row)?,
            time: Timestamp::from_micros(times.value(row)),
            tenant: table.text("tenant", row)?,
            person: table.text("person", row),
            part: table.text("part", row)?,
            ordinal: table.int("ordinal", row)?,
            purpose: table.text("purpose", row)?,
            retention_class: table.text("retention_class", row)?,
            expires_on: expires.value(row),
            capability: table.text("capability", row)?,
            data_class: table.text("data_class", row)?,
            handling_rule: table.text("handling_rule", row)?,
            redaction: table.text("redaction", row)?,
            bytes: table.long("bytes", row)?,
            commitment: table.bytes("commitment", row)?,
            state: TextState::parse(&table.text("state", row)?)?,
            reason: table.text("reason", row),
            unit_key: table.text("unit_key", row),
            unit_month: table.int("unit_month", row),
            sealed: table.bytes("sealed", row),
            redacted_sealed: table.bytes("redacted_sealed", row),
            claim: table.text("claim", row),
            redactions: table.text("redactions", row),
            log_partition: table.text("log_partition", row)?,
            position: LogPosition::new(number("log_position", row)?),
            source: table.text("source", row)?.parse().ok()?,
            seq: Seq::new(number("seq", row)?),
        })
    };
    (0..batch.num_rows()).map(row).collect()
}
