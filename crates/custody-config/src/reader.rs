//! Reads what was written in one TOML table and turns it into what is meant, noting every mistake on the way.
//!
//! The written form is the TOML table itself, in which everything is optional; a key that no reader asked for is unknown and
//! refused when the reader is finished. What comes out has no options left that are not real choices.

use std::{cell::RefCell, collections::BTreeSet, fmt::Display, ops::RangeInclusive, str::FromStr};

use toml::{
    Table, Value,
    value::{Date, Datetime},
};

use crate::Mistakes;

/// One table of one file.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a str,
    path: String,
    table: Option<&'a Table>,
    known: RefCell<BTreeSet<&'static str>>,
    mistakes: &'a Mistakes,
}

impl<'a> Reader<'a> {
    /// A reader of a file's top table.
    #[must_use]
    pub fn new(file: &'a str, table: &'a Table, mistakes: &'a Mistakes) -> Self {
        Self::at(file, String::new(), Some(table), mistakes)
    }

    fn at(file: &'a str, path: String, table: Option<&'a Table>, mistakes: &'a Mistakes) -> Self {
        Self { file, path, table, known: RefCell::default(), mistakes }
    }

    /// Notes a mistake at a key of this table.
    pub fn mistake(&self, key: &str, problem: impl Into<String>, accepted: impl Into<String>) {
        self.mistakes.add(self.file, &self.key_path(key), problem, accepted);
    }

    /// Whether the key stands in the table.
    #[must_use]
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Whether the key holds exactly this text.
    #[must_use]
    pub fn is_text(&self, key: &'static str, text: &str) -> bool {
        self.value(key).and_then(Value::as_str) == Some(text)
    }

    /// A text that must be there and must not be empty.
    pub fn text(&self, key: &'static str, meaning: &str) -> Option<&'a str> {
        let found = self.optional_text(key, meaning);
        match found {
            Some(text) if text.trim().is_empty() => {
                self.mistake(key, "is empty", format!("use {meaning}"));
                None
            }
            None if !self.has(key) => {
                self.mistake(key, "is missing", format!("use {meaning}"));
                None
            }
            found => found,
        }
    }

    /// A text that may be absent.
    pub fn optional_text(&self, key: &'static str, meaning: &str) -> Option<&'a str> {
        match self.value(key)? {
            Value::String(text) => Some(text.as_str()),
            other => {
                self.mistake(key, format!("is {}", shown(other)), format!("use {meaning} in quotes"));
                None
            }
        }
    }

    /// A text that must be there and parse.
    pub fn parsed<T: FromStr<Err: Display>>(&self, key: &'static str, meaning: &str) -> Option<T> {
        let text = self.text(key, meaning)?;
        text.parse().map_err(|error: T::Err| self.mistake(key, error.to_string(), format!("use {meaning}"))).ok()
    }

    /// A text that may be absent, and parses where it is there.
    pub fn optional_parsed<T: FromStr<Err: Display>>(&self, key: &'static str, meaning: &str) -> Option<T> {
        if self.has(key) { self.parsed(key, meaning) } else { None }
    }

    /// A whole number within a range, or the default.
    pub fn number(&self, key: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let accepted = || format!("use a whole number from {} to {}", range.start(), range.end());
        match self.value(key) {
            None => default,
            Some(Value::Integer(number)) => match u64::try_from(*number) {
                Ok(number) if range.contains(&number) => number,
                _ => {
                    self.mistake(key, format!("is `{number}`"), accepted());
                    default
                }
            },
            Some(other) => {
                self.mistake(key, format!("is {}", shown(other)), accepted());
                default
            }
        }
    }

    /// True or false, or the default.
    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Value::Boolean(flag)) => *flag,
            Some(other) => {
                self.mistake(key, format!("is {}", shown(other)), "use true or false");
                default
            }
        }
    }

    /// True or false, where it is stated.
    pub fn optional_flag(&self, key: &'static str) -> Option<bool> {
        self.has(key).then(|| self.flag(key, false))
    }

    /// A day that must be there.
    pub fn date(&self, key: &'static str, meaning: &str) -> Option<Date> {
        let found = self.value(key);
        if let Some(Value::Datetime(Datetime { date: Some(date), time: None, .. })) = found {
            return Some(*date);
        }
        let problem = found.map_or_else(|| "is missing".to_owned(), |other| format!("is {}", shown(other)));
        self.mistake(key, problem, format!("use {meaning}, a day such as 2026-05-31 without quotes"));
        None
    }

    /// The texts of a table whose keys are names, such as `headers = { x-team = "blue" }`; absent means empty. A value that is no
    /// text is not quoted: it may be a secret.
    pub fn texts(&self, key: &'static str, meaning: &str) -> Vec<(&'a str, &'a str)> {
        let section = self.section(key);
        let Some(table) = section.table else { return Vec::new() };
        let texts = table.iter().filter_map(|(name, value)| {
            if value.as_str().is_none() {
                section.mistake(name, "is no text", format!("use {meaning} in quotes"));
            }
            Some((name.as_str(), value.as_str()?))
        });
        texts.collect()
    }

    /// A list of texts that parse; absent means empty.
    pub fn list<T: FromStr<Err: Display>>(&self, key: &'static str, meaning: &str) -> Vec<T> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.mistake(key, format!("is {}", shown(other)), format!("use a list of {meaning}"));
                return Vec::new();
            }
        };
        items.iter().enumerate().filter_map(|(place, item)| self.list_item(key, place, item, meaning)).collect()
    }

    fn list_item<T: FromStr<Err: Display>>(&self, key: &str, place: usize, item: &Value, meaning: &str) -> Option<T> {
        let key = format!("{key}[{place}]");
        let Some(text) = item.as_str() else {
            self.mistake(&key, format!("is {}", shown(item)), format!("use {meaning} in quotes"));
            return None;
        };
        text.parse().map_err(|error: T::Err| self.mistake(&key, error.to_string(), format!("use {meaning}"))).ok()
    }

    /// A table inside this one; absent means empty.
    #[must_use]
    pub fn section(&self, key: &'static str) -> Reader<'a> {
        let table = match self.value(key) {
            None => None,
            Some(Value::Table(table)) => Some(table),
            Some(other) => {
                self.mistake(key, format!("is {}", shown(other)), format!("use a table [{}]", self.key_path(key)));
                None
            }
        };
        Self::at(self.file, self.key_path(key), table, self.mistakes)
    }

    /// The tables inside a table whose keys are names, such as `[routes.fast]`.
    #[must_use]
    pub fn named_sections(&self, key: &'static str) -> Vec<(&'a str, Reader<'a>)> {
        let section = self.section(key);
        let Some(table) = section.table else { return Vec::new() };
        let named = table.iter().filter_map(|(name, value)| match value {
            Value::Table(inner) => Some((name.as_str(), Self::at(self.file, section.key_path(name), Some(inner), self.mistakes))),
            other => {
                section.mistake(name, format!("is {}", shown(other)), format!("use a table [{}]", section.key_path(name)));
                None
            }
        });
        named.collect()
    }

    /// The tables of a list of tables, such as `[[tenant]]`.
    pub fn sections(&self, key: &'static str) -> Vec<Reader<'a>> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.mistake(key, format!("is {}", shown(other)), format!("use [[{key}]] tables"));
                return Vec::new();
            }
        };
        let tables = items.iter().enumerate().map(|(place, item)| (format!("{}[{place}]", self.key_path(key)), item.as_table()));
        tables.map(|(path, table)| Self::at(self.file, path, table, self.mistakes)).collect()
    }

    /// Ends the reading of a table; see [`Self::refuse_unknown`].
    pub fn finish(self) {
        self.refuse_unknown();
    }

    /// Notes every key that nobody asked for. The value is not quoted: it may be a secret that was put in the wrong place.
    pub fn refuse_unknown(&self) {
        let known = self.known.borrow();
        let accepted = || format!("use one of {}", known.iter().copied().collect::<Vec<_>>().join(", "));
        let Some(table) = self.table else { return };
        for key in table.keys().filter(|key| !known.contains(key.as_str())) {
            self.mistake(key, "is not a known key", accepted());
        }
    }

    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(key);
        self.table.and_then(|table| table.get(key))
    }

    fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", text.chars().take(64).filter(|c| !c.is_control()).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests;
