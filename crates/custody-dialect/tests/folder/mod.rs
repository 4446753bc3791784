//! Golden files, one folder a direction: `NAME.in.*` beside `NAME.out.*`. A missing output is written and the test fails once, so
//! that a change of the wire form is seen in review.

use std::{fs, path::Path};

pub fn check(folder: &str, translate: impl Fn(&[u8]) -> Vec<u8>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let input = entry.unwrap().path();
        let name = input.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains(".in.") {
            continue;
        }
        let output = folder.join(name.replace(".in.", ".out."));
        let is = translate(&fs::read(&input).unwrap());
        let should_be = fs::read(&output).ok();
        if should_be.is_none() {
            fs::write(&output, &is).unwrap();
        }
        if should_be.as_deref() != Some(&is) {
            wrong.push(format!("{name}: {}", String::from_utf8_lossy(&is)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub fn with_newline(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(b'\n');
    bytes
}
