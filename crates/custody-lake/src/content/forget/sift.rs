//! One file of texts: which rows are meant, and the file without them.

use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::filter_record_batch,
};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{
    super::{
        ContentRows,
        scope::{ContentScope, Facts},
    },
    Verdict,
};
use crate::{
    error::StoreError,
    store::parquet_file::{EncodedFile, FileWriter},
    table::LakeRows,
};

/// What a file holds of the scope, and the file without it where something stays and something goes.
pub(super) fn sift(
    bytes: Bytes,
    scope: &ContentScope,
    except: &[ContentScope],
    date: String,
    expires_on: i32,
) -> Result<(Verdict, Option<EncodedFile>), StoreError> {
    let mut verdict = Verdict::default();
    let mut kept: Vec<RecordBatch> = Vec::new();
    let batches = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(StoreError::encoding)?.build().map_err(StoreError::encoding)?;
    for batch in batches {
        let batch = batch.map_err(StoreError::encoding)?;
        let facts = Facts::of(&batch).ok_or_else(|| StoreError::encoding("a file of texts lacks columns"))?;
        let claims = batch.column_by_name("claim").and_then(|column| column.as_string_opt::<i32>());
        let mut stays = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let is_meant = scope.covers(&facts, row, expires_on);
            let is_held = is_meant && except.iter().any(|hold| hold.covers(&facts, row, expires_on));
            let goes = is_meant && !is_held;
            verdict.held = verdict.held.saturating_add(u64::from(is_held));
            verdict.rows = verdict.rows.saturating_add(u64::from(goes));
            if let Some(claims) = claims.filter(|claims| goes && claims.is_valid(row)) {
                verdict.claims.insert(claims.value(row).to_owned());
            }
            stays.push(!goes);
        }
        let rest = filter_record_batch(&batch, &BooleanArray::from(stays)).map_err(StoreError::encoding)?;
        if rest.num_rows() > 0 {
            kept.push(rest);
        }
    }
    let rest = if verdict.rows > 0 { write(&kept, date)? } else { None };
    Ok((verdict, rest))
}

fn write(kept: &[RecordBatch], date: String) -> Result<Option<EncodedFile>, StoreError> {
    let Some(first) = kept.first() else { return Ok(None) };
    let rows = kept.iter().map(RecordBatch::num_rows).sum();
    let mut file = FileWriter::new(&ContentRows::definition(), &first.schema(), date, rows)?;
    for batch in kept {
        file.write(batch)?;
    }
    file.finish().map(Some)
}
