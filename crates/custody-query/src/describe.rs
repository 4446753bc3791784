//! What a person wants to know of a table: its columns, their types as SQL names them, and what the event schema says they mean.

use arrow::datatypes::DataType;
use custody_event::{FieldType, SchemaTree};

use crate::{
    QueryError, SqlSession,
    views::{VIEWS, kind_of},
};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as SQL names it.
    pub sql_type: String,
    /// What it means; empty where the schema does not say.
    pub meaning: String,
}

impl SqlSession {
    /// The columns of a table or view.
    ///
    /// # Errors
    /// When there is no such table, or the lake can't be read.
    pub async fn columns(&self, table: &str) -> Result<Vec<Column>, QueryError> {
        let schema = self.table_schema(table).await?;
        let column = |name: &str, data_type: &DataType| Column {
            name: name.to_owned(),
            sql_type: sql_type(data_type),
            meaning: meaning(table, name).unwrap_or_default(),
        };
        Ok(schema.fields().iter().map(|field| column(field.name(), field.data_type())).collect())
    }
}

fn meaning(table: &str, column: &str) -> Option<String> {
    let tree = SchemaTree::current();
    let of_event = tree.field(column).filter(|field| !matches!(field.field_type, FieldType::Record(_)));
    let view = VIEWS.iter().find(|view| view.name == table);
    let (kind, name) = view.map(|view| (view.kind, column)).or_else(|| kind_of(column)).unzip();
    let of_kind = kind.zip(name).and_then(|(kind, name)| match &tree.field(kind)?.field_type {
        FieldType::Record(fields) => fields.field(name),
        _ => None,
    });
    of_event.or(of_kind).map(|field| field.doc.clone()).or_else(|| of_lake(column).map(str::to_owned))
}

fn of_lake(column: &str) -> Option<&'static str> {
    match column {
        "log_partition" => Some("Partition of the log that had the event."),
        "log_position" => Some("Number of records before it in that partition."),
        "source" => Some("Journal and boot epoch that wrote it."),
        "seq" => Some("Its place within the source, from 1, without gaps."),
        "event_date" => Some("UTC day of `time`; the table's partition."),
        "cost_usd" => Some("amount_pico in dollars, exact."),
        _ => None,
    }
}

fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp with time zone".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Binary | DataType::BinaryView => "bytes".to_owned(),
        DataType::Dictionary(_, value) => sql_type(value),
        DataType::List(_) => "list".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        other => other.to_string(),
    }
}
