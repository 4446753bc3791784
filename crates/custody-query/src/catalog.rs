//! The names that a query can use: `events`, `dead_letters`, and one view a kind, all of one cut. Nothing can be added.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider, TableProvider},
    error::Result,
};

use crate::{
    Cut,
    views::{EVENTS, VIEWS},
};

/// Name of the one catalogue.
pub const CATALOG: &str = "custody";
/// Name of its one schema.
pub const SCHEMA: &str = "public";
const DEAD_LETTERS: &str = "dead_letters";

/// The tables and views of one cut.
#[derive(Debug)]
struct CutSchema(Cut);

/// A list of catalogues with the cut's tables in it.
pub fn catalogs_of(cut: Cut) -> Result<Arc<dyn CatalogProviderList>> {
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(CutSchema(cut)))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(Arc::new(catalogs))
}

/// Every table and view by name.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    [EVENTS, DEAD_LETTERS].into_iter().chain(VIEWS.iter().map(|view| view.name))
}

#[async_trait]
impl SchemaProvider for CutSchema {
    fn table_names(&self) -> Vec<String> {
        table_names().map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Self(cut) = self;
        match name {
            EVENTS => Ok(Some(Arc::clone(&cut.events))),
            DEAD_LETTERS => Ok(Some(Arc::clone(&cut.dead_letters))),
            _ => match VIEWS.iter().find(|view| view.name == name) {
                Some(view) => Ok(Some(Arc::new(view.over(Arc::clone(&cut.events))?))),
                None => Ok(None),
            },
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        table_names().any(|known| known == name)
    }
}
