//! Forgetting from the command line and in the background: legal holds, retention, erasure. Works beside a running `up` or service.

mod background;
mod erase;
mod evidence;
mod hold;
mod parked;
mod parts;
mod reason;
mod retention;

pub use self::{
    background::Expiry,
    erase::{EraseArgs, run as run_erase},
    hold::{HoldArgs, run as run_hold},
    retention::{RetentionArgs, run as run_retention},
};

#[cfg(test)]
mod tests;
