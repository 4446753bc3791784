//! One view a kind: the columns that every event has, and those of the kind under their own names.

use std::sync::Arc;

use custody_event::{FieldType, KIND_NAMES, SchemaTree};
use datafusion::{
    catalog::{TableProvider, default_table_source::provider_as_source, view::ViewTable},
    error::Result,
    logical_expr::{Expr, LogicalPlanBuilder, ident},
    prelude::lit,
};

use crate::pico_usd;

/// Name of the table that all views read.
pub const EVENTS: &str = "events";
/// The column that tells kinds apart.
const KIND_COLUMN: &str = "kind";
/// A kind's amounts in pico-dollars, and the name under which its view shows them as dollars beside them.
const AMOUNTS: [(&str, &str, &str); 1] = [("cost", "amount_pico", "cost_usd")];

/// A view of the events of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name in SQL.
    pub name: &'static str,
    /// The kind, as the `kind` column and the prefix of the table's columns have it.
    pub kind: &'static str,
}

/// Every view, in the order in which a request makes the events.
pub const VIEWS: [View; 12] = [
    View { name: "requests", kind: "request" },
    View { name: "prompts", kind: "prompt" },
    View { name: "routes", kind: "route" },
    View { name: "invocations", kind: "invocation" },
    View { name: "validations", kind: "validation" },
    View { name: "costs", kind: "cost" },
    View { name: "outcomes", kind: "outcome" },
    View { name: "controls", kind: "control" },
    View { name: "guardrails", kind: "guardrail" },
    View { name: "contents", kind: "content" },
    View { name: "accesses", kind: "access" },
    View { name: "feedback", kind: "feedback" },
];

impl View {
    /// The view over a table of events.
    pub fn over(&self, events: Arc<dyn TableProvider>) -> Result<ViewTable> {
        let columns = self.columns(&events);
        let plan = LogicalPlanBuilder::scan(EVENTS, provider_as_source(events), None)?
            .filter(ident(KIND_COLUMN).eq(lit(self.kind)))?
            .project(columns)?
            .build()?;
        Ok(ViewTable::new(plan, Some(format!("events of kind {}", self.kind))))
    }

    /// The event's own columns in the table's order, then the kind's, then amounts in dollars.
    fn columns(&self, events: &Arc<dyn TableProvider>) -> Vec<Expr> {
        let schema = events.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let shared = names.iter().filter(|name| kind_of(name).is_none()).map(|name| ident(*name));
        let own = names.iter().filter_map(|name| match kind_of(name) {
            Some((kind, field)) if kind == self.kind => Some(ident(*name).alias(field)),
            _ => None,
        });
        shared.chain(own).chain(self.dollars(&names)).collect()
    }

    fn dollars(&self, names: &[&str]) -> Vec<Expr> {
        let of_kind = AMOUNTS.iter().filter(|(kind, ..)| *kind == self.kind);
        let column = |field: &str| format!("{}_{field}", self.kind);
        let present = of_kind.filter(|(_, field, _)| names.contains(&column(field).as_str()));
        present.map(|(_, field, shown)| pico_usd::function().call(vec![ident(column(field))]).alias(*shown)).collect()
    }
}

/// The kind that a column of the table belongs to and the field's own name; nothing for a column that every event has. Asked of
/// the schema and not of the prefix alone, because `request_id` belongs to every event.
pub fn kind_of(column: &str) -> Option<(&'static str, &str)> {
    let tree = SchemaTree::current();
    if tree.field(column).is_some_and(|field| !matches!(field.field_type, FieldType::Record(_))) {
        return None;
    }
    let split = |kind: &'static str| column.strip_prefix(kind)?.strip_prefix('_').map(|field| (kind, field));
    KIND_NAMES.into_iter().find_map(split)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use datafusion::datasource::empty::EmptyTable;

    use super::*;

    fn events() -> Arc<dyn TableProvider> {
        Arc::new(EmptyTable::new(custody_lake::event_columns()))
    }

    /// PATH-14: a cost is one unambiguous column.
    #[test]
    fn the_columns_of_a_view_have_names_of_their_own() {
        for view in VIEWS {
            let table = view.over(events()).unwrap();
            let schema = table.schema();
            let distinct: BTreeSet<_> = schema.fields().iter().map(|field| field.name()).collect();
            assert_eq!(distinct.len(), schema.fields().len(), "{}", view.name);
            assert!(distinct.contains(&"request_id".to_owned()), "{}", view.name);
        }
    }

    #[test]
    fn every_kind_has_a_view_with_every_field() {
        for kind in KIND_NAMES {
            let view = VIEWS.iter().find(|view| view.kind == kind).unwrap();
            let schema = view.over(events()).unwrap().schema();
            let FieldType::Record(fields) = &SchemaTree::current().field(kind).unwrap().field_type else { panic!("{kind}") };
            for field in fields.fields() {
                assert!(schema.field_with_name(&field.name).is_ok(), "{kind}.{}", field.name);
            }
        }
    }
}
