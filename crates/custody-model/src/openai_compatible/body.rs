//! Reading a provider's body within bounds of time and size.

use http_body_util::BodyExt;
use hyper::{
    Response,
    body::{Body, Bytes, Incoming},
};
use tokio::time::{Instant, timeout_at};

use super::config::Timeouts;
use crate::{ErrorKind, ModelError, TimeoutPhase};

/// When an attempt must have got where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) first_token: Instant,
    pub(super) total: Instant,
    idle: std::time::Duration,
}

impl Deadlines {
    pub(super) fn start(timeouts: &Timeouts) -> Self {
        let now = Instant::now();
        Self { first_token: now + timeouts.first_token.min(timeouts.total), total: now + timeouts.total, idle: timeouts.idle }
    }

    /// The end of the wait that begins now, and what it is called.
    pub(super) fn next(&self, waiting_for_first: bool) -> (Instant, TimeoutPhase) {
        if waiting_for_first {
            return (self.first_token, TimeoutPhase::FirstToken);
        }
        let idle = Instant::now() + self.idle;
        if idle < self.total { (idle, TimeoutPhase::Idle) } else { (self.total, TimeoutPhase::Total) }
    }
}

/// The next piece of a body; `None` at its end.
pub(super) async fn read(body: &mut Incoming, by: Instant, phase: TimeoutPhase) -> Result<Option<Bytes>, ModelError> {
    loop {
        let frame = timeout_at(by, body.frame()).await.map_err(|_| ModelError::new(ErrorKind::TimedOut(phase)))?;
        match frame.map(|frame| frame.map(hyper::body::Frame::into_data)) {
            None => return Ok(None),
            Some(Err(_)) => return Err(ModelError::new(ErrorKind::Cut)),
            Some(Ok(Ok(bytes))) => return Ok(Some(bytes)),
            Some(Ok(Err(_trailers))) => {}
        }
    }
}

/// The whole body, at most `limit` bytes of it.
pub(super) async fn read_whole(response: Response<Incoming>, deadlines: &Deadlines, limit: usize) -> Result<Vec<u8>, ModelError> {
    let mut body = response.into_body();
    let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if promised > limit {
        return Err(ModelError::new(ErrorKind::TooLarge));
    }
    let mut whole = Vec::with_capacity(promised);
    loop {
        let (by, phase) = deadlines.next(false);
        let Some(bytes) = read(&mut body, by, phase).await? else { return Ok(whole) };
        if whole.len().saturating_add(bytes.len()) > limit {
            return Err(ModelError::new(ErrorKind::TooLarge));
        }
        whole.extend_from_slice(&bytes);
    }
}
