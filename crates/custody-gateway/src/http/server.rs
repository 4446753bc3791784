//! The listener: connections in, with or without TLS, bounded in number, in header size and in time; stopped cleanly.

use std::{future::Future, io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

use super::{dispatch::dispatch, tls};
use crate::gateway::Inner;

/// Idle connections cost a few kilobytes each; this many are held at most, further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 16_384;

/// Longest head of a request. OpenAI clients send under one kilobyte.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// How long open connections may take to finish their answers once the server stops.
const DRAIN: Duration = Duration::from_secs(30);

/// A pause after the system refused to accept a connection, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) async fn serve(gateway: Arc<Inner>, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    if let Some(tls) = &gateway.tls {
        connections.spawn(tls::keep_fresh(Arc::clone(tls), Arc::clone(&gateway.clock), stopping.clone()));
    }
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let connection = connection(Arc::clone(&gateway), stream, stopping.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = stop.send(true);
    let drained = tokio::time::timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("connections were closed before their answers were taken");
        connections.shutdown().await;
    }
    gateway.all_ended().await;
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(gateway: Arc<Inner>, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    // A streamed piece must not wait for the one after it.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &gateway.tls else { return requests(gateway, stream, stopping).await };
    let secured = tokio::select! {
        secured = tls.handshake(stream, gateway.workspace.settings.server.header_timeout) => secured,
        // Nothing was asked yet.
        () = stopped(&mut stopping) => None,
    };
    if let Some(stream) = secured {
        requests(gateway, stream, stopping).await;
    }
}

/// All requests of one connection.
async fn requests(gateway: Arc<Inner>, stream: impl AsyncRead + AsyncWrite + Unpin, mut stopping: watch::Receiver<bool>) {
    let server = &gateway.workspace.settings.server;
    let (header_timeout, max_headers) = (server.header_timeout, usize::try_from(server.max_headers).unwrap_or(usize::MAX));
    let service = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, std::convert::Infallible>(dispatch(gateway, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(max_headers)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Done once the server stops, or is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
