//! The snapshot's rows and the tail's rows as one table, with the columns of this version and those that only the lake has. Projection,
//! filters and limit go to both sides.

use std::{fmt, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::{
        ExecutionPlan, stream::RecordBatchStreamAdapter, streaming::PartitionStream, streaming::StreamingTableExec, union::UnionExec,
    },
};
use futures::stream;

use crate::{conform::conform, request_bound::implied_by_request_id, widened::Widened};

/// One cut of the lake and its log as a table.
pub struct LiveTable {
    lake: Widened,
    tail: Arc<[RecordBatch]>,
}

impl LiveTable {
    /// The rows of a snapshot and the rows after it. `columns` are those of this version.
    pub fn new(lake: Arc<dyn TableProvider>, tail: Vec<RecordBatch>, columns: &SchemaRef) -> Self {
        Self { lake: Widened::new(lake, columns), tail: tail.into() }
    }

    fn tail_plan(&self, projection: Option<&Vec<usize>>, limit: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.lake.schema();
        let schema = projection.map_or_else(|| Ok(Arc::clone(schema)), |wanted| schema.project(wanted).map(Arc::new))?;
        let rows = Arc::new(TailRows { batches: Arc::clone(&self.tail), schema: Arc::clone(&schema) });
        let plan = StreamingTableExec::try_new(schema, vec![rows], None, None, false, limit)?;
        Ok(Arc::new(plan))
    }
}

impl fmt::Debug for LiveTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveTable(tail of {} batches)", self.tail.len())
    }
}

#[async_trait]
impl TableProvider for LiveTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.lake.schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let implied = filters.iter().filter_map(|filter| implied_by_request_id(filter, &schema));
        let lake_filters: Vec<Expr> = filters.iter().cloned().chain(implied).collect();
        let lake = self.lake.scan(session, projection, &lake_filters, limit).await?;
        if self.tail.is_empty() {
            return Ok(lake);
        }
        UnionExec::try_new(vec![lake, self.tail_plan(projection, limit)?])
    }

    /// Filters prune and reduce on the lake's side and are applied once more above, where the tail's rows join.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

/// Reads the tail's batches, giving each asked-for column the type it has in the lake. Only what a query asks for is converted.
struct TailRows {
    batches: Arc<[RecordBatch]>,
    schema: SchemaRef,
}

impl fmt::Debug for TailRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        write!(f, "TailRows({rows})")
    }
}

impl PartitionStream for TailRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (batches, schema) = (Arc::clone(&self.batches), Arc::clone(&self.schema));
        let converted = (0..batches.len()).filter_map(move |place| batches.get(place).cloned());
        let target = Arc::clone(&schema);
        let converted = converted.map(move |batch| conform(&batch, &target));
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(converted)))
    }
}
