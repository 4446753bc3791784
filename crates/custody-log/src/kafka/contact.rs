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

use crate::kafka::{error::Cause, refusal::Refusal, tokens::TokenSource};

/// Listens to one client.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    contact: Arc<Contact>,
    tokens: Option<Arc<TokenSource>>,
    /// Whether a refusal is logged here; otherwise whoever asks hears of it in the answer.
    logs_refusals: bool,
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
    /// The latest complaint that says something.
    pub reason: String,
    /// The latest refusal. It outlasts other complaints: of several brokers some may be away besides.
    pub refusal: Option<Refusal>,
}

impl Doubt {
    pub(crate) fn into_cause(self) -> Cause {
        self.refusal.map_or_else(|| Cause::from(self.reason), Cause::from)
    }
}

impl Events {
    pub(crate) fn new(tokens: Option<TokenSource>) -> Self {
        Self { contact: Arc::default(), tokens: tokens.map(Arc::new), logs_refusals: true }
    }

    /// For a client that lives for one question.
    pub(crate) fn without_log(self) -> Self {
        Self { logs_refusals: false, ..self }
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
    /// Takes a complaint down. Gives the refusal that it is, the first time within a doubt.
    pub(crate) fn complain(&self, reason: &str) -> Option<Refusal> {
        let refusal = Refusal::of_complaint(reason);
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, known) = doubt.take().map_or_else(|| (Instant::now(), None), |doubt| (doubt.since, doubt.refusal));
        let news = refusal.clone().filter(|_| known.is_none());
        let refusal = refusal.or(known);
        let reason = refusal.as_ref().map_or_else(|| reason.to_owned(), ToString::to_string);
        *doubt = Some(Doubt { since, reason, refusal });
        self.in_doubt.store(true, Ordering::Release);
        news
    }

    /// Something does not work, and this does not say why: what is known of the doubt stays.
    pub(crate) fn suspect(&self, reason: &str) {
        if self.doubt().is_none() {
            self.complain(reason);
        }
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
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::AutoOffsetReset) {
            return;
        }
        tracing::debug!(%error, reason, "kafka client complains");
        // Follows each broker's own complaint, and would hide it.
        if code == Some(RDKafkaErrorCode::AllBrokersDown) {
            return self.contact.suspect(reason);
        }
        let refusal = self.contact.complain(&format!("{error}: {reason}"));
        if let Some(refusal) = refusal.filter(|_| self.logs_refusals) {
            tracing::warn!(%refusal, "kafka and this client do not accept each other; trying again");
        }
    }

    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let tokens = self.tokens.as_ref().ok_or("no source of tokens is configured")?;
        tokens.make().inspect_err(|error| {
            self.contact.complain(&format!("no MSK token: {error}"));
        })
    }
}

impl ConsumerContext for Events {}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "sasl_ssl://kafka:9096/1: SASL authentication error: invalid credentials";

    #[test]
    fn a_refusal_is_news_once_in_a_doubt() {
        let contact = Contact::default();
        assert!(contact.complain("kafka:9097 is away").is_none());
        assert!(contact.complain(REFUSED).is_some());
        assert!(contact.complain(REFUSED).is_none());
        contact.answered();
        assert!(contact.complain(REFUSED).is_some());
    }

    #[test]
    fn a_refusal_is_not_hidden_by_what_follows_it() {
        let contact = Contact::default();
        contact.complain(REFUSED);
        contact.complain("kafka:9097 is away");
        contact.suspect("2/2 brokers are down");
        let doubt = contact.doubt().unwrap();
        assert!(doubt.refusal.is_some() && doubt.reason.contains("`kafka:9096` refuses the log-in"), "{doubt:?}");
        contact.answered();
        contact.suspect("2/2 brokers are down");
        assert_eq!(contact.doubt().unwrap().reason, "2/2 brokers are down");
    }
}
