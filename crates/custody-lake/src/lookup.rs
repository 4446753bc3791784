//! Which events the lake holds at given places of a source: asked when ingest suspects a duplicate or a cloned journal.

use std::ops::RangeInclusive;

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
};
use custody_types::{Seq, Source};
use deltalake::datafusion::{
    error::DataFusionError,
    prelude::{SessionContext, col, lit},
};

use crate::{error::StoreError, reader::LakeReader};

impl LakeReader {
    /// Every event of `events` under the source at these places; a place may have none, or several after a clone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        let snapshot = self.snapshot().await?;
        let events = SessionContext::new().read_table(snapshot.events());
        let place = |seq: u64| lit(i64::try_from(seq).unwrap_or(i64::MAX));
        let wanted = col("source").eq(lit(source.to_string())).and(col("seq").between(place(*seqs.start()), place(*seqs.end())));
        let found = async { events?.filter(wanted)?.select_columns(&["seq", "event_id"])?.collect().await };
        let batches = found.await.map_err(StoreError::storage("looking up events by their place"))?;
        let places: Result<Vec<_>, DataFusionError> = batches.iter().map(places).collect();
        Ok(places.map_err(StoreError::storage("reading events by their place"))?.concat())
    }
}

fn places(batch: &RecordBatch) -> Result<Vec<(Seq, String)>, DataFusionError> {
    let missing = || DataFusionError::Internal("the columns that were asked for are missing".to_owned());
    let seqs = batch.column_by_name("seq").and_then(|column| column.as_primitive_opt::<Int64Type>()).ok_or_else(missing)?;
    let ids = batch.column_by_name("event_id").and_then(|column| column.as_string_opt::<i32>()).ok_or_else(missing)?;
    let pairs = seqs.iter().zip(ids.iter());
    Ok(pairs.filter_map(|(seq, id)| Some((Seq::new(u64::try_from(seq?).ok()?), id?.to_owned()))).collect())
}
