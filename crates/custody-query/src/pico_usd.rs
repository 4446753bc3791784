//! `pico_usd(bigint)`: whole pico-dollars as decimal dollars, exact. It moves the decimal point and computes nothing (D11).

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, Decimal128Array},
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err},
    error::Result,
    logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf},
};

/// Its name in SQL.
pub const NAME: &str = "pico_usd";
const PRECISION: u8 = 38;
const SCALE: i8 = 12;

/// The function.
pub fn function() -> ScalarUDF {
    let decimal = DataType::Decimal128(PRECISION, SCALE);
    create_udf(NAME, vec![DataType::Int64], decimal, Volatility::Immutable, Arc::new(evaluate))
}

fn evaluate(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    match arguments {
        [ColumnarValue::Scalar(ScalarValue::Int64(pico))] => {
            Ok(ColumnarValue::Scalar(ScalarValue::Decimal128(pico.map(i128::from), PRECISION, SCALE)))
        }
        [ColumnarValue::Array(array)] if array.data_type() == &DataType::Int64 => {
            let picos = array.as_primitive::<Int64Type>();
            let decimals: Decimal128Array = picos.unary(i128::from);
            Ok(ColumnarValue::Array(Arc::new(decimals.with_precision_and_scale(PRECISION, SCALE)?)))
        }
        _ => exec_err!("pico_usd takes one bigint"),
    }
}
