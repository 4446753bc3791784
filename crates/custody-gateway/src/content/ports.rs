//! What the gateway needs of the vault: public keys to seal to, and a place for sealed texts that are too large for the stream.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use custody_seal::edge::{EdgeDay, EdgePublicKeys};
use custody_types::{Fault, FaultOwner, Retry, Text};

use crate::recorder::Recorder;

/// An object store that failed is seldom back sooner.
const RETRY_STORE: Duration = Duration::from_secs(5);

/// The public keys of the days, as they are known now. Whoever implements it keeps them fresh beside the requests.
pub trait EdgeKeySource: Send + Sync {
    /// All keys that may be of use now or soon.
    fn keys(&self) -> Arc<EdgePublicKeys>;
}

/// Keeps sealed texts under a name.
#[async_trait]
pub trait ClaimStore: Send + Sync {
    /// Makes a sealed text durable, and says the name by which it is claimed. `day` is that of the key which it is sealed to.
    async fn put(&self, day: EdgeDay, content_id: &str, sealed: Vec<u8>) -> Result<Text, ClaimError>;
}

/// The store did not take a sealed text.
#[derive(Debug, thiserror::Error)]
#[error("the vault's store did not take a sealed text")]
pub struct ClaimError(#[source] pub Box<dyn Error + Send + Sync>);

/// The gateway's ways to the vault.
#[derive(Clone)]
pub struct ContentOutlet {
    /// The content journal; not the one of events.
    pub recorder: Arc<dyn Recorder>,
    /// Where keys come from.
    pub keys: Arc<dyn EdgeKeySource>,
    /// Where large texts go.
    pub claims: Arc<dyn ClaimStore>,
}

impl Fault for ClaimError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::After(RETRY_STORE)
    }

    fn code(&self) -> &'static str {
        "claim_not_stored"
    }
}
