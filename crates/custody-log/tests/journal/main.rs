//! The journal from outside: what is acknowledged is kept, in order, once; what the disk does wrong is told (PATH-03, LOG-16).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers may stop a test")]

mod faults;
mod handle;
mod model;
mod real_disk;
mod recovery;
mod room;
mod suite;
mod world;
