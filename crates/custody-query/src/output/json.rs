//! JSON lines. Nulls are written, and integers and decimals are written with all their digits: a reader that keeps numbers as
//! text or decimals loses nothing.

use std::{collections::HashMap, io::Write, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
    json::{WriterBuilder, writer::LineDelimited},
};

use crate::QueryError;

pub struct JsonForm<W: Write> {
    writer: arrow::json::Writer<W, LineDelimited>,
    schema: SchemaRef,
}

impl<W: Write> JsonForm<W> {
    pub fn new(schema: &SchemaRef, out: W) -> Self {
        let builder = WriterBuilder::new().with_explicit_nulls(true).with_timestamp_tz_format("%Y-%m-%dT%H:%M:%S%.6fZ".to_owned());
        Self { writer: builder.build(out), schema: with_distinct_names(schema) }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec()).map_err(QueryError::output)?;
        self.writer.write(&batch).map_err(QueryError::output)
    }

    pub fn finish(self) -> W {
        self.writer.into_inner()
    }
}

/// An object can't have a name twice: the second `x` becomes `x_2`.
fn with_distinct_names(schema: &SchemaRef) -> SchemaRef {
    let mut times: HashMap<String, u32> = HashMap::new();
    let fields = schema.fields().iter().map(|field| {
        let time = times.entry(field.name().clone()).and_modify(|time| *time += 1).or_insert(1);
        let name = if *time == 1 { field.name().clone() } else { format!("{}_{time}", field.name()) };
        field.as_ref().clone().with_name(name)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
