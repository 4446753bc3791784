//! TLS in front of the HTTP server: the certificate in force, and the handshakes under it.
//!
//! ```text
//! files ─▶ pair: read, checked ─▶ in force ─▶ handshake, in the connection's own task ─▶ HTTP/1.1
//!   ▲                                │ replaced as a whole; connections keep what they began with
//!   └──── renewal: looks again ──────┘ a broken successor changes nothing
//! ```

mod failed;
mod pair;
mod renewal;
mod validity;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use custody_types::Timestamp;
use prometheus::{IntCounterVec, IntGauge, Opts};
use rustls::{ServerConfig, pki_types::UnixTime, server::Acceptor};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use self::{
    failed::Failed,
    pair::Pair,
    renewal::{Seen, Stamp},
};
use crate::{gateway::BuildGatewayError, metrics::Metrics, workspace::TlsFiles};

pub use pair::TlsError;
pub(super) use renewal::keep_fresh;

/// Handshakes under way at once; further connections wait for their turn within the same time limit. Each costs a signature and some ten
/// kilobytes, so that a rush of strangers takes no more than a few megabytes and leaves the processor to requests in between. One begins
/// with the client's first message: a connection that says nothing costs neither and takes no place, and the server bounds connections.
const MAX_HANDSHAKES: usize = 1024;

/// The certificate in force, where it comes from, and what became of handshakes.
pub(crate) struct Tls {
    files: TlsFiles,
    in_force: RwLock<Arc<ServerConfig>>,
    places: Semaphore,
    seen: Mutex<Seen>,
    expiry: IntGauge,
    failed: IntCounterVec,
}

impl Tls {
    pub(crate) fn open(files: &TlsFiles, now: Timestamp, metrics: &Metrics) -> Result<Self, BuildGatewayError> {
        let stamp = Stamp::of(files);
        let pair = pair::load(files, unix_time(now))?;
        let expiry = IntGauge::new("custody_tls_certificate_expiry_seconds", "When the certificate in force expires, in Unix seconds")?;
        let failed =
            IntCounterVec::new(Opts::new("custody_tls_handshakes_failed_total", "Handshakes that failed, by reason"), &["reason"])?;
        metrics.register(expiry.clone())?;
        metrics.register(failed.clone())?;
        Failed::ALL.iter().for_each(|reason| failed.with_label_values(&[reason.as_str()]).reset());
        expiry.set(seconds(pair.not_after));
        Ok(Self {
            files: files.clone(),
            in_force: RwLock::new(pair.config),
            places: Semaphore::new(MAX_HANDSHAKES),
            seen: Mutex::new(Seen::new(stamp)),
            expiry,
            failed,
        })
    }

    /// The connection under TLS; nothing where that fails or takes longer than `patience`.
    pub(super) async fn handshake(&self, stream: TcpStream, patience: Duration) -> Option<TlsStream<TcpStream>> {
        let failed = match tokio::time::timeout(patience, self.shake_hands(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => Failed::of(&error),
            Err(_) => Failed::TooSlow,
        };
        self.failed.with_label_values(&[failed.as_str()]).inc();
        tracing::debug!(reason = failed.as_str(), "a TLS handshake failed");
        None
    }

    async fn shake_hands(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let config = Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner));
        begun.into_stream(config).await
    }

    /// From now on handshakes are under this one.
    fn put_in_force(&self, pair: Pair) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = pair.config;
        self.expiry.set(seconds(pair.not_after));
    }
}

fn unix_time(now: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_micros(u64::try_from(now.micros()).unwrap_or(0)))
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
