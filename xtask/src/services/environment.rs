//! What tests read to find the services.

use anyhow::Result;

use super::{
    place::{Place, write_private},
    seaweed::{BUCKET, Credentials},
    state::State,
};

/// Names and values for `Command::envs`. Holds keys, and therefore has no `Debug`.
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    pub fn of(place: &Place, state: &State) -> Result<Self> {
        let keys = Credentials::load(place)?;
        let brokers = state.brokers().map(|node| Ok(format!("127.0.0.1:{}", node.main_port()?))).collect::<Result<Vec<_>>>()?;
        Ok(Self(vec![
            ("CUSTODY_TEST_KAFKA", brokers.join(",")),
            ("CUSTODY_TEST_S3_ENDPOINT", format!("http://127.0.0.1:{}", state.store()?.main_port()?)),
            ("CUSTODY_TEST_S3_BUCKET", BUCKET.to_owned()),
            ("AWS_ACCESS_KEY_ID", keys.access_key),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_key),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]))
    }

    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Lines for a shell. Every value is of letters, digits and `:/.,-` and needs no quotes.
    pub fn script(&self) -> String {
        self.variables().map(|(name, value)| format!("export {name}={value}\n")).collect()
    }

    pub fn write(&self, place: &Place) -> Result<()> {
        write_private(&place.environment_file(), &self.script())
    }
}
