//! The small HTTP door of a service: is it alive, is it ready, its figures; and, where it answers questions, `POST /sql`.
//! Loopback only: who may ask what is decided in front of it.

mod answer;
mod reveal;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use custody_query::SqlSession;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{process::listen, reveal::RevealCounter};

/// Scrapers and probes, and a few people; more than this at once is a mistake of somebody's.
const MAX_CONNECTIONS: usize = 64;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long answers under way may take once the service stops.
const DRAIN: Duration = Duration::from_secs(10);

pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// What a service says of itself.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Why it can't do its work now; nothing when it can.
    async fn why_not_ready(&self) -> Option<String>;

    /// Its figures in Prometheus' text form.
    async fn metrics(&self) -> String;

    /// Where questions are answered, if they are.
    fn sql(&self) -> Option<SqlSession> {
        None
    }

    /// Where kept text is shown to whom may see it, if it is.
    fn reveals(&self) -> Option<Arc<RevealCounter>> {
        None
    }
}

/// An open door.
pub struct Door {
    listener: TcpListener,
    pages: Arc<dyn Pages>,
}

impl Door {
    /// Opens it; nobody is answered before [`Self::serve`].
    pub async fn open(address: SocketAddr, pages: Arc<dyn Pages>) -> Result<Self> {
        Ok(Self { listener: listen(address).await?, pages })
    }

    /// Where it is.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until told to stop.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&self.pages), stop.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        let _ = tokio::time::timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    }
}

async fn connection(stream: tokio::net::TcpStream, pages: Arc<dyn Pages>, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let pages = Arc::clone(&pages);
        async move { Ok::<_, Infallible>(answer(request, pages.as_ref()).await) }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Done once the service stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn answer(request: Request<Incoming>, pages: &dyn Pages) -> Response<Body> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/healthz") => text(StatusCode::OK, "text/plain", "ok\n"),
        (&Method::GET, "/readyz") => match pages.why_not_ready().await {
            None => text(StatusCode::OK, "text/plain", "ready\n"),
            Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("not ready: {reason}\n")),
        },
        (&Method::GET, "/metrics") => text(StatusCode::OK, "text/plain; version=0.0.4", pages.metrics().await),
        (&Method::POST, "/sql") => match pages.sql() {
            Some(session) => answer::sql(request, session).await,
            None => nothing_here(),
        },
        (_, path) if path.starts_with("/v1/reveal") => match pages.reveals() {
            Some(counter) => reveal::answer(request, &counter).await,
            None => nothing_here(),
        },
        _ => nothing_here(),
    }
}

fn nothing_here() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "text/plain", "nothing here; try /healthz, /readyz, /metrics\n")
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
