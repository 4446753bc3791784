use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use bytes::Bytes;

use super::{Format, ResultWriter};

fn batch() -> RecordBatch {
    let cost = Decimal128Array::from(vec![Some(1), Some(-9_223_372_036_854_775_807), None]).with_precision_and_scale(38, 12).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec![Some("a,\"b\"\nc"), Some(""), None]))),
        ("big", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), Some(-1), None]))),
        ("cost", Arc::new(cost)),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_795_168_800_000_001), None, None]).with_timezone("UTC"))),
        ("day", Arc::new(Date32Array::from(vec![Some(20777), None, None]))),
        ("share", Arc::new(Float64Array::from(vec![Some(0.1), Some(1e-7), None]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
    ];
    let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn written(format: Format, batch: &RecordBatch) -> Vec<u8> {
    let mut writer = ResultWriter::new(format, &batch.schema(), Vec::new()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap()
}

fn text(format: Format) -> String {
    String::from_utf8(written(format, &batch())).unwrap()
}

#[test]
fn csv_keeps_numbers_exact_and_null_apart_from_empty_text() {
    let expected = "name,big,cost,at,day,share,ok\n\
        \"a,\"\"b\"\"\nc\",9007199254740993,0.000000000001,2026-11-20T10:00:00.000001Z,2026-11-20,0.1,true\n\
        \"\",-1,-9223372.036854775807,,,1e-7,false\n\
        ,,,,,,\n";
    assert_eq!(text(Format::Csv), expected);
}

#[test]
fn json_has_one_object_a_line_with_every_digit_and_every_null() {
    let text = text(Format::Json);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].contains(r#""big":9007199254740993,"cost":0.000000000001,"at":"2026-11-20T10:00:00.000001Z","day":"2026-11-20""#),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains(r#""cost":-9223372.036854775807"#), "{}", lines[1]);
    assert!(lines[2].contains(r#""name":null,"big":null,"cost":null,"at":null"#), "{}", lines[2]);
    for line in lines {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn json_gives_the_second_column_of_a_name_another_name() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true), Field::new("x", DataType::Int64, true)]));
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(&column), column]).unwrap();
    assert_eq!(written(Format::Json, &batch), b"{\"x\":1,\"x_2\":1}\n");
}

#[test]
fn a_table_aligns_and_shows_null_and_shortens_only_for_a_screen() {
    let expected = "\
name    | big              | cost                  | at                          | day        | share | ok
--------+------------------+-----------------------+-----------------------------+------------+-------+------
a,\"b\" c | 9007199254740993 |        0.000000000001 | 2026-11-20T10:00:00.000001Z | 2026-11-20 |   0.1 | true
        |               -1 | -9223372.036854775807 | NULL                        | NULL       |  1e-7 | false
NULL    |             NULL |                  NULL | NULL                        | NULL       |  NULL | NULL
";
    assert_eq!(text(Format::Table { screen: None }), expected);
    let long = RecordBatch::try_from_iter([("x", Arc::new(StringArray::from(vec!["é".repeat(200)])) as ArrayRef)]).unwrap();
    let cut = String::from_utf8(written(Format::Table { screen: Some(80) }, &long)).unwrap();
    assert_eq!(cut.lines().nth(2).unwrap().chars().count(), 80);
    assert!(cut.contains('…'));
    assert!(!String::from_utf8(written(Format::Table { screen: None }, &long)).unwrap().contains('…'));
}

#[test]
fn a_parquet_file_gives_back_what_went_in() {
    let bytes = Bytes::from(written(Format::Parquet, &batch()));
    let mut reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(bytes, 1024).unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), batch());
}

#[test]
fn a_result_without_rows_still_has_its_columns() {
    let empty = batch().slice(0, 0);
    assert_eq!(written(Format::Csv, &empty), b"name,big,cost,at,day,share,ok\n");
    assert!(written(Format::Json, &empty).is_empty());
    assert!(!written(Format::Parquet, &empty).is_empty());
}
