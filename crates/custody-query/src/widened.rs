//! A table of the lake with the columns of this version. A lake that an earlier version made has fewer until ingest of this one opens
//! it; a query comes before, and what the lake lacks is null there, as it will be once the column is added.

use std::{collections::HashSet, sync::Arc};

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::{
    catalog::{Session, TableProvider},
    common::ScalarValue,
    error::Result,
    logical_expr::Expr,
    physical_expr::PhysicalExpr,
    physical_plan::{
        ExecutionPlan,
        expressions::{Column, Literal},
        projection::ProjectionExec,
    },
};

/// The table and the columns that it is asked for.
pub struct Widened {
    table: Arc<dyn TableProvider>,
    of_table: SchemaRef,
    schema: SchemaRef,
}

impl Widened {
    /// The columns are those that the table will have when it is opened for writing: `columns`, then what only the table has. One that
    /// lacks none stays as it is.
    pub fn new(table: Arc<dyn TableProvider>, columns: &SchemaRef) -> Self {
        let of_table = table.schema();
        let schema = if of_table.fields() == columns.fields() { Arc::clone(&of_table) } else { union(&of_table, columns) };
        Self { table, of_table, schema }
    }

    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads the table. A filter on a column that it lacks is left to the one above, which sees the nulls.
    pub async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if Arc::ptr_eq(&self.schema, &self.of_table) {
            return self.table.scan(session, projection, filters, limit).await;
        }
        let wanted = projection.map_or_else(|| Ok(Arc::clone(&self.schema)), |places| self.schema.project(places).map(Arc::new))?;
        let present: Vec<usize> = wanted.fields().iter().filter_map(|field| self.of_table.index_of(field.name()).ok()).collect();
        let known = |filter: &&Expr| filter.column_refs().iter().all(|column| self.of_table.index_of(column.name()).is_ok());
        let filters: Vec<Expr> = filters.iter().filter(known).cloned().collect();
        let rows = self.table.scan(session, Some(&present), &filters, limit).await?;
        let columns = wanted.fields().iter().map(|field| Ok((column(&rows.schema(), field)?, field.name().clone())));
        let columns = columns.collect::<Result<Vec<(Arc<dyn PhysicalExpr>, String)>>>()?;
        Ok(Arc::new(ProjectionExec::try_new(columns, rows)?))
    }
}

/// A column of the rows, or nulls of its type where they have none.
fn column(rows: &Schema, field: &Field) -> Result<Arc<dyn PhysicalExpr>> {
    match rows.index_of(field.name()) {
        Ok(place) => Ok(Arc::new(Column::new(field.name(), place))),
        Err(_) => Ok(Arc::new(Literal::new(ScalarValue::try_new_null(field.data_type())?))),
    }
}

/// The table's own schema where it lacks nothing. Where both have a column, its type is the table's.
fn union(of_table: &SchemaRef, columns: &SchemaRef) -> SchemaRef {
    let (present, wanted) = (names(of_table), names(columns));
    if wanted.is_subset(&present) {
        return Arc::clone(of_table);
    }
    let own = |field: &Arc<Field>| of_table.field_with_name(field.name()).map_or_else(|_| Arc::clone(field), |own| Arc::new(own.clone()));
    let only_present = of_table.fields().iter().filter(|field| !wanted.contains(field.name().as_str())).cloned();
    let fields: Vec<Arc<Field>> = columns.fields().iter().map(own).chain(only_present).collect();
    Arc::new(Schema::new(fields))
}

fn names(schema: &Schema) -> HashSet<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}
