//! The gateway through its real HTTP stack on loopback, over a real journal: what callers get, and what stands in the journal.

mod acknowledgement;
mod bad_input;
mod capture;
mod capture_failures;
pub(crate) mod certificates;
mod client;
mod converse;
mod converse_bad_input;
mod converse_refusals;
mod converse_streams;
mod cpu;
mod defects;
mod failures;
mod feedback;
mod frames;
mod fronts;
mod harness;
mod log_lines;
mod protection;
mod requests;
mod security;
mod serving;
mod streams;
mod tls;
mod tls_clients;
mod tls_renewal;
mod vault;
