//! Tokens for Amazon MSK: the signed URL that proves an IAM identity for fifteen minutes.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use aws_msk_iam_sasl_signer::generate_auth_token;
use aws_types::region::Region;
use rdkafka::client::OAuthToken;

/// The credentials may come over the network (instance metadata, STS). What takes longer is tried again by the client.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Makes tokens for one region.
#[derive(Debug)]
pub(crate) struct TokenSource {
    region: String,
    made_one: AtomicBool,
}

impl TokenSource {
    pub(crate) const fn new(region: String) -> Self {
        Self { region, made_one: AtomicBool::new(false) }
    }

    /// Whether a first token was made. Before, no question to the brokers can be answered.
    pub(crate) fn has_made_one(&self) -> bool {
        self.made_one.load(Ordering::Relaxed)
    }

    /// Makes a token, blocking. The client calls this from whatever thread polls it; a thread and runtime of its own, once in twelve
    /// minutes, work under all of them.
    pub(crate) fn make(&self) -> Result<OAuthToken, Box<dyn Error>> {
        let region = Region::new(self.region.clone());
        let signing = std::thread::Builder::new().name("msk-token".into()).spawn(move || sign(region))?;
        let (token, lifetime_ms) = signing.join().map_err(|_| "the signer of MSK tokens failed")??;
        self.made_one.store(true, Ordering::Relaxed);
        Ok(OAuthToken { token, principal_name: String::new(), lifetime_ms })
    }
}

fn sign(region: Region) -> Result<(String, i64), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let signed = runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, generate_auth_token(region)).await });
    let token = signed.map_err(|_| "no AWS credentials within ten seconds".to_owned())?;
    // The library puts this text into a C string.
    token.map_err(|error| error.to_string().replace('\0', " "))
}
