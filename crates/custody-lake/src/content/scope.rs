//! Which texts are meant: to be forgotten, held, or counted.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    datatypes::TimestampMicrosecondType,
};
use custody_types::Timestamp;

use super::TextState;

/// Texts for which every named condition holds. It begins with a condition, so that no scope means everything by omission.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentScope {
    tenant: Option<String>,
    person: Option<String>,
    purpose: Option<String>,
    retention_class: Option<String>,
    until: Option<Timestamp>,
    expired_on: Option<i32>,
    requests: Option<BTreeSet<String>>,
    unit_keys: Option<BTreeSet<String>>,
    /// Without rows that hold the facts of a text alone.
    only_texts: bool,
}

/// The columns that a scope looks at.
pub(super) const COLUMNS: &[&str] = &["tenant", "person", "purpose", "retention_class", "time", "request_id", "unit_key", "state"];

/// Those columns of a batch.
pub(super) struct Facts<'a> {
    tenants: &'a StringArray,
    people: &'a StringArray,
    purposes: &'a StringArray,
    classes: &'a StringArray,
    times: &'a arrow::array::PrimitiveArray<TimestampMicrosecondType>,
    requests: &'a StringArray,
    unit_keys: &'a StringArray,
    states: &'a StringArray,
}

impl ContentScope {
    /// All texts of a tenant.
    #[must_use]
    pub fn of_tenant(tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..Self::default() }
    }

    /// All texts of a person within a tenant.
    #[must_use]
    pub fn of_person(tenant: impl Into<String>, person: impl Into<String>) -> Self {
        Self { person: Some(person.into()), ..Self::of_tenant(tenant) }
    }

    /// Texts that are no longer kept on this UTC day (days since 1970).
    #[must_use]
    pub fn expired_on(day: i32) -> Self {
        Self { expired_on: Some(day), ..Self::default() }
    }

    /// Texts of these requests.
    #[must_use]
    pub fn of_requests(requests: impl IntoIterator<Item = String>) -> Self {
        Self { requests: Some(requests.into_iter().collect()), ..Self::default() }
    }

    /// Texts that these unit keys open, as hex.
    #[must_use]
    pub fn of_unit_keys(keys: impl IntoIterator<Item = String>) -> Self {
        Self { unit_keys: Some(keys.into_iter().collect()), ..Self::default() }
    }

    /// Of these, only those of a tenant.
    #[must_use]
    pub fn and_tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Of these, only those kept for a purpose.
    #[must_use]
    pub fn and_purpose(self, purpose: impl Into<String>) -> Self {
        Self { purpose: Some(purpose.into()), ..self }
    }

    /// Of these, only those of a retention class.
    #[must_use]
    pub fn and_retention_class(self, class: impl Into<String>) -> Self {
        Self { retention_class: Some(class.into()), ..self }
    }

    /// Of these, only those made up to a time.
    #[must_use]
    pub fn and_until(self, time: Timestamp) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Of these, only rows that may hold a text: not those that say that it was forgotten before it came.
    #[must_use]
    pub fn and_only_texts(self) -> Self {
        Self { only_texts: true, ..self }
    }

    /// The tenant, where the scope names one.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    pub(super) fn is_only_expiry(&self) -> bool {
        *self == Self { expired_on: self.expired_on, ..Self::default() }
    }

    /// Whether rows of a partition can be meant.
    pub(super) fn reaches(&self, expires_on: i32) -> bool {
        self.expired_on.is_none_or(|day| expires_on <= day)
    }

    pub(super) fn covers(&self, facts: &Facts<'_>, row: usize, expires_on: i32) -> bool {
        let is = |wanted: &Option<String>, column: &StringArray| wanted.as_deref().is_none_or(|wanted| value(column, row) == Some(wanted));
        let among = |wanted: &Option<BTreeSet<String>>, column: &StringArray| {
            wanted.as_ref().is_none_or(|wanted| value(column, row).is_some_and(|value| wanted.contains(value)))
        };
        self.reaches(expires_on)
            && is(&self.tenant, facts.tenants)
            && is(&self.person, facts.people)
            && is(&self.purpose, facts.purposes)
            && is(&self.retention_class, facts.classes)
            && self.until.is_none_or(|until| facts.times.is_valid(row) && facts.times.value(row) <= until.micros())
            && among(&self.requests, facts.requests)
            && among(&self.unit_keys, facts.unit_keys)
            && !(self.only_texts && value(facts.states, row) == Some(TextState::Forgotten.as_str()))
    }
}

impl<'a> Facts<'a> {
    /// Nothing where a column is missing or of another type.
    pub(super) fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        Some(Self {
            tenants: text("tenant")?,
            people: text("person")?,
            purposes: text("purpose")?,
            classes: text("retention_class")?,
            times: batch.column_by_name("time")?.as_primitive_opt()?,
            requests: text("request_id")?,
            unit_keys: text("unit_key")?,
            states: text("state")?,
        })
    }
}

fn value(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
