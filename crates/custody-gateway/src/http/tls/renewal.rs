//! Certificates are short-lived and replaced while the gateway serves: files that changed are read again. What cannot be used leaves the
//! certificate in force and is tried again at every look. Two files are never replaced in the same moment, so only what is still there at
//! the next look is worth a line, and one line is enough.
//!
//! ```text
//! as in force ── changed, usable ──▶ in force
//!      │ changed, broken
//!      ▼
//!   broken ── the same at the next look ──▶ told, until the files change
//! ```

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};

use custody_types::{Clock, Timestamp};
use tokio::sync::watch;

use super::{Tls, TlsError, pair, unix_time};
use crate::workspace::TlsFiles;

/// A look costs three system calls; nobody waits for a certificate that was replaced days before its time.
const LOOK_EVERY: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(30) };

/// When the files were last changed, whatever their dates say: a file moved into place keeps its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(Vec<Option<[i128; 5]>>);

/// What was seen of the files so far.
#[derive(Debug)]
pub(super) struct Seen {
    in_force: Stamp,
    broken: Option<Broken>,
}

/// Files that cannot be used.
#[derive(Debug)]
struct Broken {
    stamp: Stamp,
    told: bool,
}

impl Stamp {
    pub(super) fn of(files: &TlsFiles) -> Self {
        Self(
            [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()]
                .into_iter()
                .flatten()
                .map(|file| changed(file))
                .collect(),
        )
    }
}

fn changed(file: &Path) -> Option<[i128; 5]> {
    let facts = fs::metadata(file).ok()?;
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let (modified, altered) = (nanos(facts.mtime(), facts.mtime_nsec()), nanos(facts.ctime(), facts.ctime_nsec()));
    Some([modified, altered, facts.ino().into(), facts.dev().into(), facts.len().into()])
}

impl Seen {
    pub(super) const fn new(in_force: Stamp) -> Self {
        Self { in_force, broken: None }
    }
}

/// Looks again and again until the server stops.
pub(in crate::http) async fn keep_fresh(tls: Arc<Tls>, clock: Arc<dyn Clock>, mut stopping: watch::Receiver<bool>) {
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = look_again_and_again(tls, clock) => {}
    }
}

async fn look_again_and_again(tls: Arc<Tls>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let (tls, now) = (Arc::clone(&tls), clock.now());
        if tokio::task::spawn_blocking(move || tls.look(now)).await.is_err() {
            tracing::error!("the TLS files could not be looked at");
        }
    }
}

impl Tls {
    /// Puts what the files say into force, if they changed and can be used.
    fn look(&self, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Before they are read: a change in between is seen by the next look.
        let stamp = Stamp::of(&self.files);
        if stamp == seen.in_force {
            seen.broken = None;
            return;
        }
        match pair::load(&self.files, unix_time(now)) {
            Ok(pair) => {
                tracing::info!(not_after = pair.not_after.as_secs(), "the TLS certificate was replaced");
                self.put_in_force(pair);
                *seen = Seen::new(stamp);
            }
            Err(error) => match &mut seen.broken {
                Some(known) if known.stamp == stamp => known.tell(&error),
                broken => *broken = Some(Broken { stamp, told: false }),
            },
        }
    }
}

impl Broken {
    fn tell(&mut self, error: &TlsError) {
        if !self.told {
            tracing::error!(%error, "the TLS files changed and cannot be used; the certificate in force stays");
            self.told = true;
        }
    }
}
