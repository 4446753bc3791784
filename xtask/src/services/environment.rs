//! What tests read to find the services.

use anyhow::Result;

use super::{
    kafka_access,
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
        let mut variables = vec![
            ("CUSTODY_TEST_KAFKA", brokers.join(",")),
            ("CUSTODY_TEST_S3_ENDPOINT", format!("http://127.0.0.1:{}", state.store()?.main_port()?)),
            ("CUSTODY_TEST_S3_BUCKET", BUCKET.to_owned()),
            ("AWS_ACCESS_KEY_ID", keys.access_key),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_key),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        if let Some(kms) = state.key_service() {
            variables.push(("CUSTODY_TEST_KMS_ENDPOINT", format!("http://127.0.0.1:{}", kms.main_port()?)));
        }
        variables.extend(kafka_access::variables(place, state));
        Ok(Self(variables))
    }

    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Lines for a shell.
    pub fn script(&self) -> String {
        self.variables().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect()
    }

    pub fn write(&self, place: &Place) -> Result<()> {
        write_private(&place.environment_file(), &self.script())
    }
}

/// A word for a shell. The folder in a path may be called anything.
fn quoted(value: &str) -> String {
    let is_plain = value.chars().all(|sign| sign.is_ascii_alphanumeric() || ":/.,-_".contains(sign));
    if is_plain { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_word() {
        assert_eq!(quoted("127.0.0.1:2,/tmp/a_b-c"), "127.0.0.1:2,/tmp/a_b-c");
        assert_eq!(quoted("/tmp/it's mine"), r"'/tmp/it'\''s mine'");
    }
}
