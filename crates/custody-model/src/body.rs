//! Reading a provider's body within bounds of time and size.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use tokio::time::{Instant, timeout_at};

use crate::{ErrorKind, ModelError, TimeoutPhase, timeouts::Timeouts};

/// When an attempt must have got where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    pub(crate) first_token: Instant,
    pub(crate) total: Instant,
    idle: std::time::Duration,
}

impl Deadlines {
    pub(crate) fn start(timeouts: &Timeouts) -> Self {
        let now = Instant::now();
        Self { first_token: now + timeouts.first_token.min(timeouts.total), total: now + timeouts.total, idle: timeouts.idle }
    }

    /// The end of the wait that begins now, and what it is called.
    pub(crate) fn next(&self, waiting_for_first: bool) -> (Instant, TimeoutPhase) {
        if waiting_for_first {
            return (self.first_token, TimeoutPhase::FirstToken);
        }
        let idle = Instant::now() + self.idle;
        if idle < self.total { (idle, TimeoutPhase::Idle) } else { (self.total, TimeoutPhase::Total) }
    }
}

/// The next piece of a body; `None` at its end.
pub(crate) async fn read<B>(body: &mut B, by: Instant, phase: TimeoutPhase) -> Result<Option<Bytes>, ModelError>
where
    B: Body<Data = Bytes> + Unpin,
{
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
pub(crate) async fn read_whole<B>(mut body: B, deadlines: &Deadlines, limit: usize) -> Result<Vec<u8>, ModelError>
where
    B: Body<Data = Bytes> + Unpin,
{
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
