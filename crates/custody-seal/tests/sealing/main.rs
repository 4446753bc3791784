//! What sealing promises, seen from outside: what opens where, and what never does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod forgetting;
mod frozen;
mod hostile;
mod key_files;
mod midnight;
mod round_trip;
mod support;
mod vectors;
mod wrapping;
