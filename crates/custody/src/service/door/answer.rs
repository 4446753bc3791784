//! `POST /sql`: a statement in the body, its rows in the answer as they come. `accept: text/csv` gives CSV, anything else JSON lines.
//! An answer that breaks off is cut without its end, so that no client takes it for whole.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use custody_query::{
    QueryError, QueryOptions, QueryRun, SqlSession,
    output::{Format, ResultWriter},
};
use custody_types::{Fault, FaultOwner};
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::{Request, Response, StatusCode, body::Frame, body::Incoming, header};
use tokio::sync::mpsc;

use super::{Body, text};

/// Longest statement; the longest in the query library has four kilobytes.
const MAX_STATEMENT: usize = 256 << 10;
/// Batches on their way to a slow reader.
const BATCHES_AHEAD: usize = 2;

pub async fn sql(request: Request<Incoming>, session: SqlSession) -> Response<Body> {
    let is_csv = request.headers().get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/csv"));
    let body = Limited::new(request.into_body(), MAX_STATEMENT).collect().await;
    let Ok(body) = body else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "sql_too_long", "the statement is too long or did not arrive");
    };
    let body = body.to_bytes();
    let Ok(statement) = std::str::from_utf8(&body) else {
        return refusal(StatusCode::BAD_REQUEST, "sql_syntax", "the statement is not UTF-8");
    };
    match session.query(statement, &QueryOptions::default()).await {
        Ok(run) => stream(run, if is_csv { Format::Csv } else { Format::Json }),
        Err(error) => refusal(status(&error), error.code(), &error.to_string()),
    }
}

fn status(error: &QueryError) -> StatusCode {
    match error.owner() {
        FaultOwner::Caller => StatusCode::BAD_REQUEST,
        FaultOwner::Operator | FaultOwner::Upstream => StatusCode::SERVICE_UNAVAILABLE,
        FaultOwner::Product => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": { "code": code, "message": message } });
    text(status, "application/json", format!("{body}\n"))
}

/// The answer, made as it is taken.
fn stream(run: QueryRun, format: Format) -> Response<Body> {
    let kind = if format == Format::Csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    tokio::spawn(async move {
        if let Err(error) = write(run, format, &sender).await {
            // The message may quote a value of the statement or of a row.
            tracing::warn!(code = error.code(), "an answer broke off");
            let _ = sender.send(Err(io::Error::other("the query failed"))).await;
        }
    });
    let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
        let piece: io::Result<Bytes> = receiver.recv().await?;
        Some((piece.map(Frame::data), receiver))
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

async fn write(mut run: QueryRun, format: Format, sender: &mpsc::Sender<io::Result<Bytes>>) -> Result<(), QueryError> {
    let page = Page::default();
    let mut writer = ResultWriter::new(format, &run.schema(), page.clone())?;
    while let Some(batch) = run.next_batch().await? {
        writer.write(&batch)?;
        // A reader that is gone wants no more; dropping the run cancels it.
        if sender.send(Ok(page.take())).await.is_err() {
            return Ok(());
        }
    }
    writer.finish()?;
    let _ = sender.send(Ok(page.take())).await;
    Ok(())
}

/// What was written since it was last taken.
#[derive(Debug, Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
