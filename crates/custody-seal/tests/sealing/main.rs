//! What sealing promises, seen from outside: what opens where, and what never does.

mod forgetting;
mod frozen;
mod hostile;
mod key_files;
mod midnight;
mod round_trip;
mod support;
mod vectors;
mod wrapping;
