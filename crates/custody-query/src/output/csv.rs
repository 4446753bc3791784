//! Comma-separated values by RFC 4180, with line feeds.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::cell::Cells;
use crate::QueryError;

pub struct CsvForm<W> {
    out: W,
    header: Option<String>,
}

impl<W: Write> CsvForm<W> {
    pub fn new(schema: &SchemaRef, out: W) -> Self {
        let names = schema.fields().iter().map(|field| Some(field.name().clone()));
        Self { out, header: Some(line(names)) }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        self.write_header()?;
        let cells = Cells::of(batch)?;
        for row in 0..batch.num_rows() {
            self.out.write_all(line(cells.row(row)?.into_iter()).as_bytes()).map_err(QueryError::output)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<W, QueryError> {
        self.write_header()?;
        Ok(self.out)
    }

    fn write_header(&mut self) -> Result<(), QueryError> {
        self.header.take().map_or(Ok(()), |header| self.out.write_all(header.as_bytes())).map_err(QueryError::output)
    }
}

fn line(values: impl Iterator<Item = Option<String>>) -> String {
    let fields: Vec<String> = values.map(|value| value.map_or_else(String::new, |text| quoted(&text))).collect();
    fields.join(",") + "\n"
}

/// Empty text is quoted, so that it differs from null.
fn quoted(text: &str) -> String {
    let must_quote = text.is_empty() || text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ');
    if must_quote { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
