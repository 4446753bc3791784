//! Any text as a workspace's `data-handling.toml`, also behind a good beginning: refused with mistakes that each name a place, or rules of
//! which none keeps a text without an end.
#![no_main]

use std::sync::LazyLock;

use custody_gateway::workspace::{Workspace, WorkspaceError, WorkspaceFiles, write_example};
use libfuzzer_sys::fuzz_target;

/// The file that is looked at.
const FILE: &str = "data-handling.toml";

/// A file that is accepted, for the fuzzer to go on from.
const GOOD: &str = "version = 7\n[retention.short]\ndays = 30\n[redaction.strict]\nwords = [{ name = \"PROJECT\", word = \"blue heron\" }]\n";

static OTHERS: LazyLock<WorkspaceFiles> = LazyLock::new(example);

fuzz_target!(|input: (bool, &str)| {
    let (begun, text) = input;
    let mut files = OTHERS.clone();
    files.0.insert(FILE.to_owned(), if begun { format!("{GOOD}{text}") } else { text.to_owned() });
    match Workspace::from_files(&files) {
        Ok(workspace) => {
            for rule in &workspace.handling.rules {
                assert!(rule.label.starts_with(&*rule.name) && rule.label.ends_with(&format!("@{}", workspace.handling.version)));
            }
            assert!(workspace.handling.retention.values().all(|days| *days > 0), "nothing is kept without an end");
        }
        Err(WorkspaceError::Mistakes(mistakes)) => assert!(!mistakes.is_empty()),
        Err(WorkspaceError::Folder(error)) => panic!("no folder is read: {error}"),
    }
});

fn example() -> WorkspaceFiles {
    let folder = tempfile::tempdir().expect("a folder");
    write_example(folder.path()).expect("an example");
    let mut files = WorkspaceFiles::default();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder.path()).expect("inside").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != "README.md" && !name.starts_with('.') {
                files.0.insert(name, std::fs::read_to_string(path).expect("text"));
            }
        }
    }
    assert!(Workspace::from_files(&files).is_ok(), "the example is accepted");
    files
}
