//! The public keys of the days, read from the vault's store now and then. While the store is away those that are known stay in use,
//! for as long as their day allows.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use custody_gateway::EdgeKeySource;
use custody_seal::edge::{EdgePublicKeys, EdgeWindow};
use custody_types::Clock;
use custody_vault::{EdgeKeys, Objects};
use tokio::sync::watch;

/// Keys are published a day ahead, so this is soon enough.
const REFRESH: Duration = Duration::from_secs(60);

/// While there is no key, requests are refused: that should end soon after one is published.
const SEEK: Duration = Duration::from_secs(2);

/// What is known of the keys.
pub struct KeyBoard {
    objects: Arc<dyn Objects>,
    window: EdgeWindow,
    clock: Arc<dyn Clock>,
    known: RwLock<Arc<EdgePublicKeys>>,
}

impl KeyBoard {
    /// Reads the keys. A store that is away now may be back later.
    pub async fn open(objects: Arc<dyn Objects>, window: EdgeWindow, clock: Arc<dyn Clock>) -> Self {
        let board = Self { objects, window, clock, known: RwLock::new(Arc::new(EdgePublicKeys::new(window))) };
        board.refresh().await;
        board
    }

    /// Reads them again and again until told to stop.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let pause = if self.has_key() { REFRESH } else { SEEK };
            if tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
            self.refresh().await;
        }
    }

    async fn refresh(&self) {
        match EdgeKeys::public_keys(self.objects.as_ref(), self.window, self.clock.now()).await {
            Ok(keys) => *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys),
            Err(error) => tracing::warn!(%error, "the vault's public keys cannot be read; those that are known stay in use"),
        }
        if !self.has_key() {
            tracing::warn!("the vault has no key for today: requests whose text must be kept are refused");
        }
    }

    fn has_key(&self) -> bool {
        self.keys().current(self.clock.now()).is_ok()
    }
}

impl EdgeKeySource for KeyBoard {
    fn keys(&self) -> Arc<EdgePublicKeys> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}
