//! Why brokers that can be reached do not let us in, as a sentence that names what to mend.
//!
//! The client library tries again for ever and says why only as text, in OpenSSL's words and its own settings' names. What it says,
//! and what that means:
//!
//! | text | refusal |
//! | --- | --- |
//! | `certificate verify failed` | the broker's certificate; OpenSSL does not say whether for its authority, its host or its date |
//! | `SSL alert number` of a certificate (42 to 46, 48, 116) | our certificate, or that we have none |
//! | `SASL authentication error` | the log-in |
//! | `mechanism handshake failed` | the way to log in |
//!
//! No text of the library's is passed on in a refusal: nothing that was configured as a secret can be in it.

use std::fmt;

use rdkafka::error::KafkaError;

/// What is wrong with how we come in. Waiting does not mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A broker does not let us in, or we do not trust it.
    Broker {
        /// `host:port`; empty where the library does not name it.
        address: String,
        /// What for.
        objection: Objection,
    },
    /// A file of ours cannot be used.
    File {
        /// The setting that names it.
        setting: &'static str,
    },
}

/// What one side has against the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// We do not accept the broker's certificate.
    BrokerCertificate,
    /// The broker does not accept our certificate, or misses it.
    ClientCertificate,
    /// The broker does not accept user or password.
    LogIn,
    /// The broker does not offer the way to log in.
    Mechanism,
}

/// Alerts that TLS defines about the other side's certificate: bad, unsupported, revoked, expired, unknown, of an unknown authority,
/// required.
const CERTIFICATE_ALERTS: [u16; 7] = [42, 43, 44, 45, 46, 48, 116];
/// Settings of the library, and ours.
const FILES: [(&str, &str); 3] =
    [("ssl.ca.location", "ca_file"), ("ssl.certificate.location", "certificate_file"), ("ssl.key.location", "key_file")];

impl Refusal {
    /// The refusal in a complaint, if it is one.
    pub(crate) fn of_complaint(text: &str) -> Option<Self> {
        let objection = objection(text)?;
        let address = text.split_once("://").and_then(|(_, rest)| rest.split(['/', ' ']).next()).unwrap_or_default();
        Some(Self::Broker { address: address.to_owned(), objection })
    }

    /// The refusal in a client that could not be made, if it is one.
    pub(crate) fn of_error(error: &KafkaError) -> Option<Self> {
        let KafkaError::ClientCreation(text) = error else { return None };
        let named = FILES.into_iter().find(|(theirs, _)| text.contains(theirs));
        named.map(|(_, setting)| Self::File { setting })
    }
}

fn objection(text: &str) -> Option<Objection> {
    let alert = text.split_once("SSL alert number ").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let is_about_certificate = alert.and_then(|number| number.parse().ok()).is_some_and(|number| CERTIFICATE_ALERTS.contains(&number));
    [
        (text.contains("certificate verify failed"), Objection::BrokerCertificate),
        (is_about_certificate, Objection::ClientCertificate),
        (text.contains("SASL authentication error"), Objection::LogIn),
        (text.contains("mechanism handshake failed"), Objection::Mechanism),
    ]
    .into_iter()
    .find_map(|(is_so, objection)| is_so.then_some(objection))
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broker { address, objection } if address.is_empty() => write!(f, "a broker {objection}"),
            Self::Broker { address, objection } => write!(f, "broker `{address}` {objection}"),
            Self::File { setting } => write!(f, "the file in `{setting}` cannot be read, or is not in PEM"),
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BrokerCertificate => {
                "shows a certificate that is not accepted: it must be signed by an authority in `ca_file` (without one, the system's), be \
                 valid today and name the host that we connect to"
            }
            Self::ClientCertificate => "wants a client certificate that it trusts: see `certificate_file` and `key_file`",
            Self::LogIn => "refuses the log-in: the user does not exist, or the password is wrong",
            Self::Mechanism => "does not offer this way to log in: see `kind`",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "sasl_ssl://127.0.0.1:20430/bootstrap";

    fn said(text: &str) -> Option<Objection> {
        match Refusal::of_complaint(&format!("{ADDRESS}: {text} (after 2ms in state SSL_HANDSHAKE)"))? {
            Refusal::Broker { address, objection } => {
                assert_eq!(address, "127.0.0.1:20430");
                Some(objection)
            }
            Refusal::File { .. } => None,
        }
    }

    #[test]
    fn what_the_library_says_is_understood() {
        let verify =
            "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified";
        assert_eq!(said(verify), Some(Objection::BrokerCertificate));
        let log_in = "SASL authentication error: Authentication failed during authentication due to invalid credentials";
        assert_eq!(said(log_in), Some(Objection::LogIn));
        let mechanism =
            "SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: ";
        assert_eq!(said(mechanism), Some(Objection::Mechanism));
        for (number, objection) in [(42, Some(Objection::ClientCertificate)), (116, Some(Objection::ClientCertificate)), (80, None)] {
            let alert = format!("Receive failed: error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert number {number}");
            assert_eq!(said(&alert), objection, "{number}");
        }
    }

    #[test]
    fn a_broker_that_is_away_refuses_nothing() {
        for text in ["Connect to ipv4#127.0.0.1:1 failed: Connection refused", "Disconnected: SSL connection closed by peer", ""] {
            assert_eq!(said(text), None, "{text}");
        }
        assert_eq!(Refusal::of_complaint("1/1 brokers are down"), None);
    }

    #[test]
    fn a_file_is_named_by_our_setting() {
        let error = KafkaError::ClientCreation("ssl.ca.location failed: error:05880002:x509 certificate routines::system lib".into());
        assert_eq!(Refusal::of_error(&error).unwrap().to_string(), "the file in `ca_file` cannot be read, or is not in PEM");
        assert_eq!(Refusal::of_error(&KafkaError::Canceled), None);
    }
}
