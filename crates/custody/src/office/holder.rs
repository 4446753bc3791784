//! Who has the office journal: a small file beside it, for the message to whom waits in vain. The lock alone decides.

use std::path::Path;

const FILE: &str = "holder";

/// Leaves a name. Without one the message is vaguer, nothing more.
pub fn write(folder: &Path, name: &str) {
    let _ = std::fs::write(folder.join(FILE), format!("`{name}` (process {})", std::process::id()));
}

/// Who left a name last.
pub fn read(folder: &Path) -> String {
    let name = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    if name.is_empty() {
        "another process".to_owned()
    } else {
        name.chars().filter(|character| !character.is_control()).take(200).collect()
    }
}
