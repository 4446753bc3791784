//! A defect in one request: its panic ends that request, with an answer for the caller, and nothing else.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// A future panicked. What it owned was dropped on the way.
pub(super) struct Panicked;

/// Runs a future to its end, or to its panic. It is dropped before this returns; what it borrowed may be half changed, so the
/// caller looks only at what each single write leaves whole.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
