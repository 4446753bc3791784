//! Bodies: the caller's, read within bounds of size and time, and the answer's, whole or in pieces.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Frame, Incoming, SizeHint},
    header,
};
use tokio::sync::mpsc;

use crate::{gateway::Inner, refusal::Refusal};

/// A caller's body that was not read yet.
pub(crate) struct IncomingBody {
    body: Incoming,
    stated_length: Option<u64>,
    encoded: bool,
}

/// An answer's body.
pub(super) enum AnswerBody {
    /// All of it, or nothing once it was taken.
    Whole(Option<Bytes>),
    /// Pieces, as the flow hands them over.
    Pieces(mpsc::Receiver<Bytes>),
}

impl IncomingBody {
    pub(super) fn new(headers: &HeaderMap, body: Incoming) -> Self {
        let stated = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value.as_bytes() != b"identity");
        Self { body, stated_length: stated, encoded }
    }

    /// Reads it all, or says why not.
    pub(crate) async fn read(self, gateway: &Inner) -> Result<Bytes, Refusal> {
        let server = &gateway.workspace.settings.server;
        if self.encoded {
            return Err(Refusal::invalid(415, "unsupported_encoding", "send the body without content-encoding"));
        }
        if self.stated_length.is_some_and(|length| length > server.max_body_bytes) {
            return Err(too_large(server.max_body_bytes));
        }
        let read = read_all(self.body, server.max_body_bytes);
        let slow = |_| Refusal::invalid(408, "body_timeout", "the body did not arrive in time");
        tokio::time::timeout(server.body_timeout, read).await.map_err(slow)?
    }
}

async fn read_all(mut body: Incoming, limit: u64) -> Result<Bytes, Refusal> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::invalid(400, "body_incomplete", "the body broke off or is not valid HTTP"))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len() as u64);
        if length > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = data;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

fn too_large(limit: u64) -> Refusal {
    Refusal::invalid(413, "body_too_large", format!("the body is longer than this gateway accepts: at most {limit} bytes"))
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Pieces(pieces) => std::task::ready!(pieces.poll_recv(context)),
        };
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}
