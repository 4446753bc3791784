//! Values for the `$name` places of a query. A value is text; it takes the type that its place asks for, and can never become
//! part of the statement.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::DataType;
use datafusion::{
    common::{ParamValues, ScalarValue, metadata::ScalarAndMetadata},
    logical_expr::LogicalPlan,
};

use crate::QueryError;

/// Names to values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads `name=value` pairs.
    ///
    /// # Errors
    /// When a pair has no `=`, no name, or a name that was given before.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, QueryError> {
        let mut values = BTreeMap::new();
        for pair in pairs {
            let named = pair.split_once('=').filter(|(name, _)| !name.is_empty());
            let (name, value) = named.ok_or_else(|| QueryError::Parameter(format!("`{pair}` is no parameter; write name=value")))?;
            let name = name.trim_start_matches('$');
            if values.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(QueryError::Parameter(format!("parameter `{name}` is given twice")));
            }
        }
        Ok(Self(values))
    }

    /// Puts the values into their places.
    pub(crate) fn bind(&self, plan: LogicalPlan) -> Result<LogicalPlan, QueryError> {
        let places = plan.get_parameter_types().map_err(QueryError::from_planning)?;
        self.check_names(&places)?;
        if places.is_empty() {
            return Ok(plan);
        }
        let mut values = HashMap::new();
        for (place, data_type) in &places {
            let name = place.trim_start_matches('$');
            let text = self.0.get(name).map(String::as_str).unwrap_or_default();
            values.insert(name.to_owned(), ScalarAndMetadata::from(typed(name, text, data_type.as_ref())?));
        }
        plan.with_param_values(ParamValues::Map(values)).map_err(QueryError::from_planning)
    }

    fn check_names(&self, places: &HashMap<String, Option<DataType>>) -> Result<(), QueryError> {
        let mut asked: Vec<&str> = places.keys().map(|place| place.trim_start_matches('$')).collect();
        asked.sort_unstable();
        if let Some(missing) = asked.iter().find(|name| !self.0.contains_key(**name)) {
            return Err(QueryError::Parameter(format!("the query asks for a value of `${missing}`; give it as --param {missing}=value")));
        }
        match self.0.keys().find(|name| !asked.contains(&name.as_str())) {
            Some(unknown) => Err(QueryError::Parameter(format!("the query has no `${unknown}`; it has {}", listed(&asked)))),
            None => Ok(()),
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no parameters".to_owned() } else { names.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ") }
}

fn typed(name: &str, text: &str, data_type: Option<&DataType>) -> Result<ScalarValue, QueryError> {
    let wanted = data_type.unwrap_or(&DataType::Utf8);
    let mismatch = |_| QueryError::Parameter(format!("`{text}` is not a value for `${name}`, which is of type {wanted}"));
    ScalarValue::try_from_string(text.to_owned(), wanted).map_err(mismatch)
}
