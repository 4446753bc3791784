//! Aligned columns. Widths come from the first rows; later rows that are wider stick out rather than being cut.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cell::{Cells, is_number};
use crate::QueryError;

/// Rows that decide the widths; also the most that is held.
const ROWS_MEASURED: usize = 1000;
/// Null as text; grey would be prettier and would not survive a copy.
const NULL: &str = "NULL";
/// A cell for a screen is never shortened below this.
const LEAST_CELL: usize = 40;
const GAP: &str = " | ";

pub struct TableForm<W> {
    out: W,
    longest_cell: Option<usize>,
    names: Vec<String>,
    numbers: Vec<bool>,
    held: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl<W: Write> TableForm<W> {
    pub fn new(schema: &SchemaRef, out: W, screen: Option<usize>) -> Self {
        let fields = schema.fields();
        Self {
            out,
            longest_cell: screen.map(|width| (width / fields.len().max(1)).max(LEAST_CELL)),
            names: fields.iter().map(|field| field.name().clone()).collect(),
            numbers: fields.iter().map(|field| is_number(field.data_type())).collect(),
            held: Vec::new(),
            widths: None,
        }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        let cells = Cells::of(batch)?;
        for row in 0..batch.num_rows() {
            let row = cells.row(row)?.into_iter().map(|cell| self.shown(cell)).collect();
            self.take(row)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<W, QueryError> {
        self.release()?;
        Ok(self.out)
    }

    fn take(&mut self, row: Vec<String>) -> Result<(), QueryError> {
        if let Some(widths) = &self.widths {
            return write_line(&mut self.out, &row, widths, &self.numbers);
        }
        self.held.push(row);
        if self.held.len() >= ROWS_MEASURED { self.release() } else { Ok(()) }
    }

    /// Decides the widths and writes the header and what was held.
    fn release(&mut self) -> Result<(), QueryError> {
        if self.widths.is_some() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.held);
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        for row in &rows {
            widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.width()));
        }
        write_line(&mut self.out, &self.names, &widths, &vec![false; self.names.len()])?;
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        writeln!(self.out, "{}", rule.join("-+-")).map_err(QueryError::output)?;
        for row in &rows {
            write_line(&mut self.out, row, &widths, &self.numbers)?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    /// One line, without control characters that would move the cursor.
    fn shown(&self, cell: Option<String>) -> String {
        let text = cell.unwrap_or_else(|| NULL.to_owned());
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match self.longest_cell {
            Some(longest) if text.width() > longest => shortened(&text, longest),
            _ => text,
        }
    }
}

fn shortened(text: &str, longest: usize) -> String {
    let mut width = 1;
    let fits = |character: &char| {
        width += character.width().unwrap_or(0);
        width <= longest
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

fn write_line(out: &mut impl Write, row: &[String], widths: &[usize], right: &[bool]) -> Result<(), QueryError> {
    let padded = row.iter().zip(widths).zip(right).map(|((cell, width), right)| {
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        if *right { format!("{padding}{cell}") } else { format!("{cell}{padding}") }
    });
    let line = padded.collect::<Vec<_>>().join(GAP);
    writeln!(out, "{}", line.trim_end()).map_err(QueryError::output)
}
