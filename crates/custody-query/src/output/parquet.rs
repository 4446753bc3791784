//! A Parquet file, zstd-compressed.

use std::{io::Write, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use crate::QueryError;

pub struct ParquetForm<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetForm<W> {
    pub fn new(schema: &SchemaRef, out: W) -> Result<Self, QueryError> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let writer = ArrowWriter::try_new(out, Arc::clone(schema), Some(properties)).map_err(QueryError::output)?;
        Ok(Self { writer })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        self.writer.write(batch).map_err(QueryError::output)
    }

    pub fn finish(self) -> Result<W, QueryError> {
        self.writer.into_inner().map_err(QueryError::output)
    }
}
