//! Results as text or files. Numbers are exact: a decimal is its plain digits, never a float; times are ISO 8601 in UTC; null is
//! told apart from empty text in every form. Only the table form, and only for a screen, shortens what is long.

mod cell;
mod csv;
mod json;
mod parquet;
mod table;
#[cfg(test)]
mod tests;

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use self::{csv::CsvForm, json::JsonForm, parquet::ParquetForm, table::TableForm};
use crate::QueryError;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns, to read.
    Table {
        /// Width of the screen, if it is one: long cells are shortened so that a row fits better.
        screen: Option<usize>,
    },
    /// RFC 4180; null is nothing, empty text is `""`.
    Csv,
    /// One JSON object a line.
    Json,
    /// An Apache Parquet file.
    Parquet,
}

/// Writes one result.
pub struct ResultWriter<W: Write + Send>(Form<W>);

enum Form<W: Write + Send> {
    Table(TableForm<W>),
    Csv(CsvForm<W>),
    Json(JsonForm<W>),
    Parquet(Box<ParquetForm<W>>),
}

impl<W: Write + Send> ResultWriter<W> {
    /// A writer for results with these columns.
    ///
    /// # Errors
    /// When the columns can't be written in this form.
    pub fn new(format: Format, schema: &SchemaRef, out: W) -> Result<Self, QueryError> {
        let form = match format {
            Format::Table { screen } => Form::Table(TableForm::new(schema, out, screen)),
            Format::Csv => Form::Csv(CsvForm::new(schema, out)),
            Format::Json => Form::Json(JsonForm::new(schema, out)),
            Format::Parquet => Form::Parquet(Box::new(ParquetForm::new(schema, out)?)),
        };
        Ok(Self(form))
    }

    /// Adds rows.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        match &mut self.0 {
            Form::Table(form) => form.write(batch),
            Form::Csv(form) => form.write(batch),
            Form::Json(form) => form.write(batch),
            Form::Parquet(form) => form.write(batch),
        }
    }

    /// Ends the result and gives back what it was written to.
    ///
    /// # Errors
    /// When the rest can't be written.
    pub fn finish(self) -> Result<W, QueryError> {
        let mut out = match self.0 {
            Form::Table(form) => form.finish()?,
            Form::Csv(form) => form.finish()?,
            Form::Json(form) => form.finish(),
            Form::Parquet(form) => form.finish()?,
        };
        out.flush().map_err(QueryError::output)?;
        Ok(out)
    }
}
