//! What a client tells without being asked: complaints about brokers, log lines, the wish for a token.

use std::{
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rdkafka::{
    ClientContext,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::time::Instant;

use crate::kafka::tokens::TokenSource;

/// Listens to one client.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    contact: Arc<Contact>,
    tokens: Option<Arc<TokenSource>>,
}

/// Whether there is reason to doubt that the brokers can be reached. A complaint begins a doubt; an answer ends it. Silence does
/// neither: an idle partition looks like a dead broker.
#[derive(Debug, Default)]
pub(crate) struct Contact {
    in_doubt: AtomicBool,
    doubt: Mutex<Option<Doubt>>,
}

/// A doubt.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    /// When the first complaint came.
    pub since: Instant,
    /// The latest complaint.
    pub reason: String,
}

impl Events {
    pub(crate) fn new(tokens: Option<TokenSource>) -> Self {
        Self { contact: Arc::default(), tokens: tokens.map(Arc::new) }
    }

    pub(crate) const fn contact(&self) -> &Arc<Contact> {
        &self.contact
    }

    /// Whether questions can be asked already: with tokens, only once the first was made.
    pub(crate) fn may_ask(&self) -> bool {
        self.tokens.as_ref().is_none_or(|tokens| tokens.has_made_one())
    }
}

impl Contact {
    pub(crate) fn complain(&self, reason: &str) {
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        let since = doubt.as_ref().map_or_else(Instant::now, |doubt| doubt.since);
        *doubt = Some(Doubt { since, reason: reason.to_owned() });
        self.in_doubt.store(true, Ordering::Release);
    }

    /// A broker answered.
    pub(crate) fn answered(&self) {
        // The usual case is asked for every message, so it must cost nothing.
        if self.in_doubt.load(Ordering::Acquire) {
            *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = None;
            self.in_doubt.store(false, Ordering::Release);
        }
    }

    pub(crate) fn doubt(&self) -> Option<Doubt> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Events {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::warn!(facility, message, "kafka client");
            }
            // A broker that is away is repeated here every second; whoever waits for it says so once.
            _ => tracing::debug!(facility, message, "kafka client"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // An answer of the broker about our position, which the reader settles.
        let is_an_answer = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset);
        if !is_an_answer {
            tracing::debug!(%error, reason, "kafka client complains");
            self.contact.complain(&format!("{error}: {reason}"));
        }
    }

    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let tokens = self.tokens.as_ref().ok_or("no source of tokens is configured")?;
        tokens.make().inspect_err(|error| self.contact.complain(&format!("no MSK token: {error}")))
    }
}

impl ConsumerContext for Events {}
