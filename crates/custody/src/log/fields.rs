//! How a line's fields are written: names as they are, each value redacted by itself and kept on one line.
//!
//! The value is read together with its name, which may be the word that gives a number away (`phone=…`). Numbers and truth values are
//! written as they are: they count what the program did, and text can't get into them.

use std::{
    borrow::Cow,
    error::Error,
    fmt::{self, Debug, Write},
};

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

use super::redaction::redacted_after;

/// The longest chain of causes that is told.
const MOST_SOURCES: usize = 16;

/// Writes the fields of lines and spans.
pub struct RedactedFields;

struct Line<'a, 'writer> {
    writer: &'a mut Writer<'writer>,
    is_empty: bool,
    result: fmt::Result,
}

impl<'writer> FormatFields<'writer> for RedactedFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer: &mut writer, is_empty: true, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

impl Line<'_, '_> {
    fn put_text(&mut self, field: &Field, value: &str) {
        let name = field.name();
        let read = format!("{name}={value}");
        let shown = on_one_line(redacted_after(&read, name.len() + 1));
        self.put(name, &shown);
    }

    fn put(&mut self, name: &str, shown: &str) {
        // What the `log` crate says of a line's origin.
        if self.result.is_err() || name.starts_with("log.") {
            return;
        }
        let space = if std::mem::take(&mut self.is_empty) { "" } else { " " };
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.result = match (name, self.writer.has_ansi_escapes()) {
            ("message", _) => write!(self.writer, "{space}{shown}"),
            (_, false) => write!(self.writer, "{space}{name}={shown}"),
            (_, true) => write!(self.writer, "{space}\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m{shown}"),
        };
    }
}

impl Visit for Line<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put_text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.put_text(field, value);
        }
        self.record_debug(field, &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut told = value.to_string();
        let mut source = value.source();
        for _ in 0..MOST_SOURCES {
            let Some(error) = source else { break };
            let _ = write!(told, ": {error}");
            source = error.source();
        }
        self.put_text(field, &told);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), &value.to_string());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), &value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), if value { "true" } else { "false" });
    }
}

/// A quoted text can neither begin a line of its own nor steer a terminal.
fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_control() { out.extend(character.escape_default()) } else { out.push(character) }
    }
    Cow::Owned(out)
}
