//! The gateway through its real HTTP stack on loopback, over a real journal: what callers get, and what stands in the journal.

mod acknowledgement;
mod bad_input;
mod client;
mod cpu;
mod defects;
mod failures;
mod harness;
mod log_lines;
mod requests;
mod security;
mod streams;
