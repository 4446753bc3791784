//! Tenants: who requests belong to and are charged to.

use std::collections::BTreeMap;

use custody_config::{Mistakes, Reader};
use custody_types::{TenantId, Text};
use toml::Table;

pub(super) const FILE: &str = "tenants.toml";

/// Tenant ids that events use for themselves.
const RESERVED: [&str; 2] = ["unidentified", "platform"];

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name for people.
    pub name: Text,
}

pub(super) fn read(table: &Table, mistakes: &Mistakes) -> BTreeMap<TenantId, Tenant> {
    let root = Reader::new(FILE, table, mistakes);
    let mut tenants = BTreeMap::new();
    for section in root.sections("tenant") {
        let id: Option<TenantId> = section.parsed("id", "a label such as acme");
        let name = section.optional_text("name", "a name for people");
        if let Some(id) = id {
            if RESERVED.contains(&id.as_str()) {
                section.mistake("id", format!("is `{id}`, which events use for themselves"), "use another id");
            } else {
                let tenant = Tenant { name: Text::from(name.unwrap_or(id.as_str())), id: id.clone() };
                if tenants.insert(id.clone(), tenant).is_some() {
                    section.mistake("id", format!("is `{id}` a second time"), "use every id once");
                }
            }
        }
        section.finish();
    }
    root.finish();
    tenants
}
