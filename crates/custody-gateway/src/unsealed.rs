//! The control of the leak scan: texts where keyed hashes belong, and in figures and the log too, so that the scan is seen to find them there.
//! Compiled with the feature `unsealed` alone, and the program then starts only where it is told that this is meant.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use custody_types::Text;

const KEPT: usize = 4096;

static SHOWN: Mutex<VecDeque<Text>> = Mutex::new(VecDeque::new());

/// The text itself, which is said everywhere else, too.
pub(crate) fn shown(data: &[u8]) -> Text {
    let text = Text::from(String::from_utf8_lossy(data));
    tracing::info!(%text, "unsealed");
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if shown.len() == KEPT {
        shown.pop_front();
    }
    shown.push_back(Text::clone(&text));
    text
}

/// The texts as labels of a figure.
pub(crate) fn figures() -> Vec<u8> {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    shown.iter().map(|text| format!("custody_unsealed{{text={text:?}}} 1\n")).collect::<String>().into_bytes()
}
