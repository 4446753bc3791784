//! What is written in one table, and what is told of it.

use super::*;

/// What is told of a file's text that is read this way.
fn told(text: &str, read: impl FnOnce(&Reader<'_>)) -> Vec<String> {
    let (table, mistakes) = (text.parse::<Table>().unwrap(), Mistakes::default());
    let reader = Reader::new("f.toml", &table, &mistakes);
    read(&reader);
    reader.finish();
    mistakes.into_vec().iter().map(ToString::to_string).collect()
}

#[test]
fn a_day_is_a_day_and_nothing_else() {
    let day = |text: &str| {
        told(text, |reader| {
            let _ = reader.date("on", "a day");
        })
    };
    assert!(day("on = 2026-05-31").is_empty());
    for wrong in ["", "on = \"2026-05-31\"", "on = 2026-05-31T10:00:00Z", "on = 10:00:00", "on = 7"] {
        let told = day(wrong);
        assert!(told.len() == 1 && told[0].contains("`on`") && told[0].contains("without quotes"), "{wrong}: {told:?}");
    }
}

#[test]
fn a_table_of_texts_keeps_names_as_written_and_quotes_nothing_else() {
    let found = told("h = { b = \"1\", \"A b\" = \"2\" }", |reader| assert_eq!(reader.texts("h", "x"), [("A b", "2"), ("b", "1")]));
    assert!(found.is_empty(), "{found:?}");
    let found = told("h = { b = 4711, c = \"1\" }", |reader| assert_eq!(reader.texts("h", "a value"), [("c", "1")]));
    assert!(found.len() == 1 && found[0].contains("`h.b`") && !found[0].contains("4711"), "{found:?}");
    assert_eq!(told("h = 1", |reader| assert!(reader.texts("h", "x").is_empty())).len(), 1);
    assert!(told("", |reader| assert!(reader.texts("h", "x").is_empty())).is_empty());
}

#[test]
fn what_is_not_stated_is_neither_true_nor_false() {
    assert!(told("", |reader| assert_eq!(reader.optional_flag("on"), None)).is_empty());
    assert!(told("on = false", |reader| assert_eq!(reader.optional_flag("on"), Some(false))).is_empty());
    assert!(told("on = true", |reader| assert_eq!(reader.optional_flag("on"), Some(true))).is_empty());
    assert_eq!(told("on = 1", |reader| assert_eq!(reader.optional_flag("on"), Some(false))).len(), 1);
}
