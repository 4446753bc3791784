//! The HTTP client: pooled connections, with or without TLS.

use std::{error::Error, io, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

use crate::{ErrorKind, TimeoutPhase};

/// Idle connections are dropped before most servers (60 s or more) drop theirs, so that a request seldom meets a dead one.
const IDLE: Duration = Duration::from_secs(45);

pub(super) type RequestBody = Full<Bytes>;

#[derive(Clone)]
pub(super) enum Client {
    Plain(legacy::Client<HttpConnector, RequestBody>),
    Tls(legacy::Client<HttpsConnector<HttpConnector>, RequestBody>),
}

impl Client {
    pub(super) fn plain(connect: Duration, idle_connections: usize) -> Self {
        Self::Plain(builder(idle_connections).build(tcp(connect)))
    }

    pub(super) fn tls(config: ClientConfig, connect: Duration, idle_connections: usize) -> Self {
        let tls = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1();
        Self::Tls(builder(idle_connections).build(tls.wrap_connector(tcp(connect))))
    }

    pub(super) async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, legacy::Error> {
        match self {
            Self::Plain(client) => client.request(request).await,
            Self::Tls(client) => client.request(request).await,
        }
    }
}

fn builder(idle_connections: usize) -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(idle_connections);
    builder
}

fn tcp(connect: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    tcp.enforce_http(false);
    tcp
}

pub(super) fn kind_of(error: &legacy::Error) -> ErrorKind {
    match (error.is_connect(), timed_out(error)) {
        (true, true) => ErrorKind::TimedOut(TimeoutPhase::Connect),
        (true, false) => ErrorKind::ConnectFailed,
        (false, _) => ErrorKind::Failed,
    }
}

fn timed_out(error: &legacy::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        if cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        next = cause.source();
    }
    false
}
