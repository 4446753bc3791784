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
use rustls::crypto::aws_lc_rs;

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
    pub(super) fn build(plain: bool, connect: Duration, idle_connections: usize) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.enforce_http(false);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(idle_connections);
        if plain {
            return Ok(Self::Plain(builder.build(tcp)));
        }
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(aws_lc_rs::default_provider());
        let tls = tls.map_err(|error| format!("the system's root certificates can't be read: {error}"))?;
        Ok(Self::Tls(builder.build(tls.https_only().enable_http1().wrap_connector(tcp))))
    }

    pub(super) async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, legacy::Error> {
        match self {
            Self::Plain(client) => client.request(request).await,
            Self::Tls(client) => client.request(request).await,
        }
    }
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
