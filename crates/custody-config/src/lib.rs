//! Configuration files: from what was written to what is meant.
//!
//! Every key is asked for by name, so that unknown ones are refused; every mistake of a run is noted with its file, key, the value found
//! and what would be accepted, and told at once. What settings there are is each crate's own business.

mod mistakes;
mod reader;

pub use mistakes::{Mistake, Mistakes};
pub use reader::Reader;
