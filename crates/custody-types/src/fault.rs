//! The three questions every error that crosses a crate boundary answers as data.

use std::time::Duration;

/// Whose fault an error is; status codes, exit codes, log levels and metric labels derive from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultOwner {
    /// The caller sent something that cannot be served.
    Caller,
    /// The person who runs the product must act: configuration, disk, keys.
    Operator,
    /// A model provider or another service we depend on failed.
    Upstream,
    /// A defect of the product itself.
    Product,
}

/// Whether the same call may succeed when repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Repeating gives the same answer.
    Never,
    /// Repeating after the stated time may succeed.
    After(Duration),
}

/// An error that can say whose fault it is, whether a retry is worth it, and its stable public code.
pub trait Fault: std::error::Error {
    /// Whose fault it is.
    fn owner(&self) -> FaultOwner;
    /// Whether a retry is worth it.
    fn retry(&self) -> Retry;
    /// The stable code that callers and operators may match on; never changes meaning once published.
    fn code(&self) -> &'static str;
}
