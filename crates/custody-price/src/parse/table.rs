//! Reads typed values out of one TOML table and notes each mistake with its key path.

use std::str::FromStr;

use custody_types::{Text, Timestamp};
use toml::{Table, Value};

use super::entry;
use crate::mistake::PriceMistake;

/// What a name is made of, for messages.
pub(super) const NAME: &str = "1 to 128 characters of A-Z a-z 0-9 . _ - : / @ +";
const MAX_NAME: usize = 128;
const MAX_SHOWN: usize = 64;

/// One table, its place in the file, and where mistakes are noted.
pub(super) struct Reader<'t, 'm> {
    file: &'t str,
    path: String,
    table: &'t Table,
    mistakes: &'m mut Vec<PriceMistake>,
}

impl<'t, 'm> Reader<'t, 'm> {
    pub(super) fn new(file: &'t str, path: String, table: &'t Table, mistakes: &'m mut Vec<PriceMistake>) -> Self {
        Self { file, path, table, mistakes }
    }

    pub(super) fn mistake(&mut self, key: &str, found: String, accepted: &str) {
        let key = self.key_path(key);
        self.mistakes.push(PriceMistake { file: self.file.to_owned(), key, found, accepted: accepted.to_owned() });
    }

    /// A name that can stand in events and paths.
    pub(super) fn name(&mut self, key: &str) -> Option<Text> {
        let accepted = format!("a name in quotes, of {NAME}");
        let text = self.string(key, &accepted)?;
        if is_name(text) {
            return Some(Text::from(text));
        }
        self.mistake(key, quoted(text), &accepted);
        None
    }

    /// A list of names that may be absent, but not empty.
    pub(super) fn optional_names(&mut self, key: &str) -> Vec<Text> {
        let accepted = format!("a list of one name or more, each in quotes, of {NAME}");
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let texts: Option<Vec<&str>> = value.as_array().and_then(|values| values.iter().map(Value::as_str).collect());
        match texts {
            Some(texts) if !texts.is_empty() && texts.iter().all(|text| is_name(text)) => texts.into_iter().map(Text::from).collect(),
            _ => {
                self.mistake(key, shown(value), &accepted);
                Vec::new()
            }
        }
    }

    /// A whole number, zero or more, that may be absent.
    pub(super) fn optional_count(&mut self, key: &str, accepted: &str) -> Option<u64> {
        let value = self.table.get(key)?;
        let count = value.as_integer().and_then(|number| u64::try_from(number).ok());
        if count.is_none() {
            self.mistake(key, shown(value), accepted);
        }
        count
    }

    /// A text that its type accepts.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &str, accepted: &str) -> Option<T> {
        let text = self.string(key, accepted)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.mistake(key, quoted(text), accepted);
        }
        parsed
    }

    /// A key with only one accepted value.
    pub(super) fn exactly(&mut self, key: &str, value: &str) {
        let accepted = format!("\"{value}\"");
        if let Some(found) = self.string(key, &accepted).filter(|found| *found != value) {
            self.mistake(key, quoted(found), &accepted);
        }
    }

    /// A moment that must be stated.
    pub(super) fn moment(&mut self, key: &str) -> Option<Timestamp> {
        if !self.table.contains_key(key) {
            self.mistake(key, "missing".to_owned(), entry::ACCEPTED_MOMENT);
        }
        self.optional_moment(key)
    }

    /// A moment that may be absent.
    pub(super) fn optional_moment(&mut self, key: &str) -> Option<Timestamp> {
        let value = self.table.get(key)?;
        let moment = value.as_datetime().and_then(entry::moment);
        if moment.is_none() {
            self.mistake(key, shown(value), entry::ACCEPTED_MOMENT);
        }
        moment
    }

    /// Notes the absence of a table that must be there.
    pub(super) fn require_table(&mut self, key: &str) {
        if !self.table.contains_key(key) {
            self.mistake(key, "missing".to_owned(), "a table");
        }
    }

    /// A table inside this one that may be absent.
    pub(super) fn optional_table(&mut self, key: &str) -> Option<(String, &'t Table)> {
        match self.table.get(key)? {
            Value::Table(table) => Some((self.key_path(key), table)),
            other => {
                self.mistake(key, shown(other), "a table");
                None
            }
        }
    }

    /// A list of tables that may be absent, but not empty, with the path of each.
    pub(super) fn optional_tables(&mut self, key: &str) -> Vec<(String, &'t Table)> {
        if self.table.contains_key(key) { self.tables(key) } else { Vec::new() }
    }

    /// A list of tables that must be there and must not be empty, with the path of each.
    pub(super) fn tables(&mut self, key: &str) -> Vec<(String, &'t Table)> {
        let accepted = format!("one [[{key}]] table or more");
        let values = match self.table.get(key) {
            Some(Value::Array(values)) if !values.is_empty() => values,
            Some(other) => {
                self.mistake(key, shown(other), &accepted);
                return Vec::new();
            }
            None => {
                self.mistake(key, "missing".to_owned(), &accepted);
                return Vec::new();
            }
        };
        let mut tables = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let place = format!("{key}[{index}]");
            match value {
                Value::Table(table) => tables.push((self.key_path(&place), table)),
                other => self.mistake(&place, shown(other), "a table"),
            }
        }
        tables
    }

    /// A text that may be absent, with no rule but its type.
    pub(super) fn optional_string(&mut self, key: &str, accepted: &str) -> Option<&'t str> {
        match self.table.get(key)? {
            Value::String(text) => Some(text),
            other => {
                self.mistake(key, shown(other), accepted);
                None
            }
        }
    }

    pub(super) fn refuse_others(&mut self, known: &[&str]) {
        let unknown: Vec<&String> = self.table.keys().filter(|key| !known.contains(&key.as_str())).collect();
        for key in unknown {
            self.mistake(key, "not a known key".to_owned(), &format!("one of {}", known.join(", ")));
        }
    }

    fn string(&mut self, key: &str, accepted: &str) -> Option<&'t str> {
        if !self.table.contains_key(key) {
            self.mistake(key, "missing".to_owned(), accepted);
        }
        self.optional_string(key, accepted)
    }

    fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@+".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(MAX_SHOWN).filter(|c| !c.is_control()).collect();
    format!("`{shown}`")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(list) if list.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
        plain => format!("{} ({})", quoted(&plain.to_string()), plain.type_str()),
    }
}
