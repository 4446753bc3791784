//! A request id bounds time (D7): it is a UUID version 7, made when the request was received, and no event of the request is
//! older. There is no bound from above, because recovery may write an outcome days later; the files' own smallest and largest
//! request id do that part, and stay right for such a row.

use arrow::datatypes::{DataType, Schema};
use datafusion::{
    common::ScalarValue,
    logical_expr::{BinaryExpr, Expr, Operator, expr::InList},
    prelude::{col, lit},
};

const ID_COLUMN: &str = "request_id";
const DATE_COLUMN: &str = "event_date";
const MILLIS_PER_DAY: i64 = 86_400_000;
/// Clocks of two producers may differ, and midnight lies between any two of their times.
const SKEW_DAYS: i64 = 1;

/// The filter on the table's partition that a filter on the request id implies, if it does.
pub fn implied_by_request_id(filter: &Expr, schema: &Schema) -> Option<Expr> {
    let ids = request_ids(filter)?;
    let days: Option<Vec<i64>> = ids.iter().map(|id| day_of(id)).collect();
    let first = days?.into_iter().min()?.saturating_sub(SKEW_DAYS);
    let date_type = schema.field_with_name(DATE_COLUMN).ok()?.data_type();
    Some(col(DATE_COLUMN).gt_eq(lit(date(first, date_type)?)))
}

/// The ids one of which every row that passes the filter has.
fn request_ids(filter: &Expr) -> Option<Vec<String>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), value) | (value, Expr::Column(column)) if column.name == ID_COLUMN => Some(vec![text(value)?]),
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut ids = request_ids(left)?;
            ids.extend(request_ids(right)?);
            Some(ids)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => request_ids(left).or_else(|| request_ids(right)),
        Expr::InList(InList { expr, list, negated: false }) => match expr.as_ref() {
            Expr::Column(column) if column.name == ID_COLUMN => list.iter().map(text).collect(),
            _ => None,
        },
        _ => None,
    }
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Literal(literal, _) => literal.try_as_str().flatten().map(str::to_owned),
        Expr::Cast(cast) => text(&cast.expr),
        _ => None,
    }
}

/// The UTC day in the first 48 bits of a UUID version 7; nothing for any other text.
fn day_of(id: &str) -> Option<i64> {
    let digits: String = id.chars().filter(|c| *c != '-').collect();
    let is_version_7 = digits.len() == 32 && digits.chars().nth(12) == Some('7');
    let millis = i64::from_str_radix(digits.get(..12)?, 16).ok()?;
    is_version_7.then(|| millis.div_euclid(MILLIS_PER_DAY))
}

fn date(day: i64, date_type: &DataType) -> Option<ScalarValue> {
    ScalarValue::Date32(Some(i32::try_from(day).ok()?)).cast_to(date_type).ok()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    const ID: &str = "019a9f00-0000-7000-8000-000000000000";

    fn schema() -> Schema {
        Schema::new(vec![Field::new(DATE_COLUMN, DataType::Date32, true)])
    }

    #[test]
    fn an_id_bounds_the_partition_from_below() {
        let filter = implied_by_request_id(&col(ID_COLUMN).eq(lit(ID)), &schema()).unwrap();
        assert_eq!(filter.to_string(), r#"event_date >= Date32("2025-11-19")"#);
    }

    #[test]
    fn what_is_no_uuid_of_version_7_or_no_equality_bounds_nothing() {
        let unbounded = [
            col(ID_COLUMN).eq(lit("019a9f00-0000-4000-8000-000000000000")),
            col(ID_COLUMN).eq(lit("é19a9f00-0000-7000-8000-00000000000")),
            col(ID_COLUMN).not_eq(lit(ID)),
            col("event_id").eq(lit(ID)),
            col(ID_COLUMN).eq(lit(ID)).or(col("tenant").eq(lit("acme"))),
            col(ID_COLUMN).in_list(vec![lit(ID)], true),
        ];
        for filter in unbounded {
            assert_eq!(implied_by_request_id(&filter, &schema()), None, "{filter}");
        }
    }

    #[test]
    fn of_several_ids_the_oldest_counts() {
        let older = "01900000-0000-7000-8000-000000000000";
        let filter = col(ID_COLUMN).in_list(vec![lit(ID), lit(older)], false);
        assert!(implied_by_request_id(&filter, &schema()).unwrap().to_string().contains("2024-06-"));
    }
}
