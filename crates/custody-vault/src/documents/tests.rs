use serde::Deserialize;

use super::*;
use crate::testing::TestFolder;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    version: u32,
    text: String,
}

impl Document for Note {
    const FOLDER: &'static str = "notes";
    const VERSION: u32 = 1;

    fn version(&self) -> u32 {
        self.version
    }
}

fn note(text: &str) -> Note {
    Note { version: 1, text: text.to_owned() }
}

#[tokio::test]
async fn a_document_is_made_once_and_replaced_only_as_it_was_read() {
    let folder = TestFolder::new().await;
    let notes = Documents::<Note>::new(folder.shared());
    notes.put_new("a", &note("one")).await.unwrap();
    notes.put_new("a", &note("one")).await.unwrap();
    assert!(matches!(notes.put_new("a", &note("two")).await, Err(VaultError::DocumentExists { .. })));
    assert_eq!(notes.replace("a", &note("zero"), &note("two")).await.unwrap(), Replaced::Changed);
    assert_eq!(notes.replace("a", &note("one"), &note("two")).await.unwrap(), Replaced::Done);
    notes.put("b/c", &note("three")).await.unwrap();
    assert_eq!(notes.list().await.unwrap(), [("a".to_owned(), note("two")), ("b/c".to_owned(), note("three"))]);
    notes.delete("a").await.unwrap();
    assert_eq!(notes.get("a").await.unwrap(), None);
}

#[tokio::test]
async fn no_word_of_a_document_is_passed_over() {
    let folder = TestFolder::new().await;
    let notes = Documents::<Note>::new(folder.shared());
    for text in [
        r#"{"version": 1, "text": "x", "unless": "y"}"#,
        r#"{"version": 2, "text": "x"}"#,
        r#"{"text": "x"}"#,
        r#"{"version": 1, "text": "x"} more"#,
        "",
    ] {
        folder.objects.put(&"notes/a.json".parse().unwrap(), Bytes::from(text)).await.unwrap();
        assert!(matches!(notes.get("a").await, Err(VaultError::UnusableDocument { .. })), "{text}");
        assert!(notes.list().await.is_err(), "{text}");
    }
}
