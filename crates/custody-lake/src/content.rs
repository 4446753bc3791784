//! The `content` table: texts that are kept, sealed, one row each (D4, D5). Nothing in it can be read without the key of its unit.
//!
//! ```text
//! state      what stands in the row
//! kept       sealed text and sealed redacted text, or the path of a claim where both lie; counts of what was redacted
//! forgotten  nothing but the facts: the text was forgotten or had expired before it came
//! unopened   the bytes as the gateway sealed them, and why they did not open
//! ```
//! Partitioned by the date from which a row is no longer kept, so that expiry drops whole files. Files and the table's log tell least and
//! greatest values of ids, times and tenants only: the log outlives what is forgotten.

mod forget;
mod groups;
mod read;
mod scope;

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, BinaryArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use custody_types::{LogPosition, Seq, Source, Timestamp};

pub use self::{
    forget::{ForgetError, ForgottenTexts, erase_texts, forget_texts},
    groups::TextGroup,
    read::{TextCounts, TextUnit},
    scope::ContentScope,
};
use crate::{
    columns::log_number,
    decode::RowKey,
    error::StoreError,
    table::{LakeRows, TableDefinition},
};

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextState {
    /// It is here, sealed.
    Kept,
    /// It was forgotten before it could be kept.
    Forgotten,
    /// It never opened; what came is here as it came.
    Unopened,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRow {
    /// The text's id.
    pub content_id: String,
    /// The governed request.
    pub request_id: String,
    /// When the gateway sealed it.
    pub time: Timestamp,
    /// Whose.
    pub tenant: String,
    /// Whose, where the request named a person.
    pub person: Option<String>,
    /// Which text of the request.
    pub part: String,
    /// Which of its part.
    pub ordinal: i32,
    /// Why it is kept.
    pub purpose: String,
    /// How long.
    pub retention_class: String,
    /// The UTC day, since 1970, from which it is no longer kept.
    pub expires_on: i32,
    /// Capability of the request.
    pub capability: String,
    /// Data class of the request.
    pub data_class: String,
    /// The rule that ordered the capture.
    pub handling_rule: String,
    /// Name of the redaction rules.
    pub redaction: String,
    /// Size of the text.
    pub bytes: i64,
    /// What the text's event says of it.
    pub commitment: Vec<u8>,
    /// What became of it.
    pub state: TextState,
    /// Why it is forgotten or unopened.
    pub reason: Option<String>,
    /// The unit key that opens it, in hex.
    pub unit_key: Option<String>,
    /// The month of that key's unit, since the year 0.
    pub unit_month: Option<i32>,
    /// The sealed text: under the unit key where it is kept, as it came where it is unopened.
    pub sealed: Option<Vec<u8>>,
    /// The sealed redacted text.
    pub redacted_sealed: Option<Vec<u8>>,
    /// Where the sealed text lies in the vault, where it is too large for the row; the redacted one lies beside it.
    pub claim: Option<String>,
    /// Counts of what was redacted, by kind, as JSON.
    pub redactions: Option<String>,
    /// The log partition it came from.
    pub log_partition: String,
    /// Its place there.
    pub position: LogPosition,
    /// Who wrote it.
    pub source: Source,
    /// Its place within the source.
    pub seq: Seq,
}

/// Rows of the `content` table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentRows(pub Vec<ContentRow>);

impl TextState {
    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Forgotten => "forgotten",
            Self::Unopened => "unopened",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Kept, Self::Forgotten, Self::Unopened].into_iter().find(|state| state.as_str() == name)
    }
}

impl ContentRow {
    /// What tells it apart.
    #[must_use]
    pub fn key(&self) -> RowKey {
        RowKey { position: self.position, source: self.source, seq: self.seq, event_id: self.content_id.clone() }
    }
}

/// The columns of the `content` table.
#[must_use]
pub fn content_columns() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
        let utc_micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let (text, int, long, binary) = (DataType::Utf8, DataType::Int32, DataType::Int64, DataType::Binary);
        let columns = [
            ("content_id", &text),
            ("request_id", &text),
            ("time", &utc_micros),
            ("tenant", &text),
            ("person", &text),
            ("part", &text),
            ("ordinal", &int),
            ("purpose", &text),
            ("retention_class", &text),
            ("capability", &text),
            ("data_class", &text),
            ("handling_rule", &text),
            ("redaction", &text),
            ("bytes", &long),
            ("commitment", &binary),
            ("state", &text),
            ("reason", &text),
            ("unit_key", &text),
            ("unit_month", &int),
            ("sealed", &binary),
            ("redacted_sealed", &binary),
            ("claim", &text),
            ("redactions", &text),
            ("log_partition", &text),
            ("log_position", &long),
            ("source", &text),
            ("seq", &long),
            ("expires_on", &DataType::Date32),
        ];
        Arc::new(Schema::new(columns.map(|(name, kind)| Field::new(name, kind.clone(), true)).to_vec()))
    });
    Arc::clone(&COLUMNS)
}

impl LakeRows for ContentRows {
    fn definition() -> TableDefinition {
        TableDefinition {
            name: "content",
            partitioned_by: "expires_on",
            may_forget: true,
            columns: content_columns(),
            sorted_by: &["request_id", "part", "ordinal"],
            with_statistics: &["content_id", "request_id", "time", "tenant"],
            with_bloom: &["content_id", "request_id", "tenant"],
        }
    }

    fn into_batches(self) -> Result<Vec<RecordBatch>, StoreError> {
        let rows = &self.0;
        let text = |of: fn(&ContentRow) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
        let maybe = |of: fn(&ContentRow) -> Option<&str>| -> ArrayRef { Arc::new(StringArray::from_iter(rows.iter().map(of))) };
        let sealed = |of: fn(&ContentRow) -> Option<&[u8]>| -> ArrayRef { Arc::new(BinaryArray::from_iter(rows.iter().map(of))) };
        let long = |of: fn(&ContentRow) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
        let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time.micros())).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            text(|row| &row.content_id),
            text(|row| &row.request_id),
            Arc::new(times),
            text(|row| &row.tenant),
            maybe(|row| row.person.as_deref()),
            text(|row| &row.part),
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.ordinal))),
            text(|row| &row.purpose),
            text(|row| &row.retention_class),
            text(|row| &row.capability),
            text(|row| &row.data_class),
            text(|row| &row.handling_rule),
            text(|row| &row.redaction),
            long(|row| row.bytes),
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| &row.commitment))),
            text(|row| row.state.as_str()),
            maybe(|row| row.reason.as_deref()),
            maybe(|row| row.unit_key.as_deref()),
            Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.unit_month))),
            sealed(|row| row.sealed.as_deref()),
            sealed(|row| row.redacted_sealed.as_deref()),
            maybe(|row| row.claim.as_deref()),
            maybe(|row| row.redactions.as_deref()),
            text(|row| &row.log_partition),
            long(|row| log_number(row.position.get())),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.source.to_string()))),
            long(|row| log_number(row.seq.get())),
            Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.expires_on))),
        ];
        RecordBatch::try_new(content_columns(), columns).map(|batch| vec![batch]).map_err(StoreError::encoding)
    }
}

#[cfg(test)]
mod tests;
