//! The one binary of Custody.
fn main() {}
