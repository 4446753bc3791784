//! Certificate and key as the files say, checked before they come into force. Errors name files and never quote them.

use std::{fs, io, path::Path, sync::Arc};

use custody_types::{Fault, FaultOwner, Retry};
use rustls::{
    Error, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::validity::{Validity, validity};
use crate::{private_file, workspace::TlsFiles};

/// What the server speaks once a handshake is done.
const PROTOCOL: &[u8] = b"http/1.1";

/// A certificate that may come into force.
pub(super) struct Pair {
    pub(super) config: Arc<ServerConfig>,
    pub(super) not_after: UnixTime,
}

/// The TLS files of `[server]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the TLS file `{file}` cannot be read: {error}")]
    Unreadable {
        /// Which one.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// Others may read the key.
    #[error("the TLS key `{0}` is readable by other users: run chmod 600 on it")]
    Exposed(String),
    /// A file holds nothing of what it is for.
    #[error("the TLS file `{file}` holds no {wanted} in PEM form")]
    Empty {
        /// Which one.
        file: String,
        /// What it is for.
        wanted: &'static str,
    },
    /// A file holds something that cannot be used.
    #[error("the TLS file `{file}` cannot be used: {problem}")]
    Unusable {
        /// Which one.
        file: String,
        /// Why.
        problem: &'static str,
    },
    /// The key is another certificate's.
    #[error("the TLS key `{key}` does not belong to the certificate in `{certificate}`")]
    KeyDiffers {
        /// The key's file.
        key: String,
        /// The certificate's file.
        certificate: String,
    },
    /// No client would accept it any more.
    #[error("the TLS certificate in `{0}` has expired: put its successor there")]
    Expired(String),
    /// No client would accept it yet.
    #[error("the TLS certificate in `{0}` is not valid yet: put another there, or set this machine's clock")]
    NotYetValid(String),
}

impl Fault for TlsError {
    fn owner(&self) -> FaultOwner {
        FaultOwner::Operator
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "tls_unusable"
    }
}

pub(super) fn load(files: &TlsFiles, now: UnixTime) -> Result<Pair, TlsError> {
    let chain = certificates(&files.certificate)?;
    let not_after = good_until(&files.certificate, &chain, now)?;
    let key = key(&files.key)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&TLS13, &TLS12]);
    let config = config.map_err(|_| unusable(&files.certificate, "no version of TLS is there to use it with"))?;
    let config = match &files.client_ca {
        None => config.with_no_client_auth(),
        Some(file) => config.with_client_cert_verifier(clients_of(file, provider)?),
    };
    let mut config = config.with_single_cert(chain, key).map_err(|error| match error {
        Error::InconsistentKeys(_) => {
            TlsError::KeyDiffers { key: files.key.display().to_string(), certificate: files.certificate.display().to_string() }
        }
        _ => unusable(&files.key, "it is no key that TLS knows; RSA of 2048 bits and more, ECDSA and Ed25519 are"),
    })?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Pair { config: Arc::new(config), not_after })
}

/// The server's own certificate counts alone: chains may end in an authority's expired one that clients have no need of.
fn good_until(file: &Path, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<UnixTime, TlsError> {
    match chain.first().and_then(|certificate| validity(certificate, now)) {
        Some(Validity::Until(not_after)) => Ok(not_after),
        Some(Validity::Past) => Err(TlsError::Expired(file.display().to_string())),
        Some(Validity::NotYet) => Err(TlsError::NotYetValid(file.display().to_string())),
        None => Err(unusable(file, "its first certificate is none of X.509 version 3")),
    }
}

/// Whoever holds a certificate of these authorities may come; what a caller may do is still its key's business.
fn clients_of(file: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(file)? {
        authorities.add(certificate).map_err(|_| unusable(file, "a certificate in it is none of X.509 version 3"))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider).build();
    verifier.map_err(|_| unusable(file, "it names no authority")).map(|verifier| verifier as Arc<dyn ClientCertVerifier>)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    let found = found.map_err(|_| unusable(file, "its PEM form is damaged"))?;
    if found.is_empty() {
        return Err(TlsError::Empty { file: file.display().to_string(), wanted: "certificate" });
    }
    Ok(found)
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    if private_file::is_exposed(file).map_err(|error| unreadable(file, error))? {
        return Err(TlsError::Exposed(file.display().to_string()));
    }
    let content = read(file)?;
    let first = PrivateKeyDer::pem_slice_iter(&content).next();
    let first = first.ok_or_else(|| TlsError::Empty { file: file.display().to_string(), wanted: "key without a password" })?;
    first.map_err(|_| unusable(file, "its PEM form is damaged"))
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|error| unreadable(file, error))
}

fn unreadable(file: &Path, error: io::Error) -> TlsError {
    TlsError::Unreadable { file: file.display().to_string(), error }
}

fn unusable(file: &Path, problem: &'static str) -> TlsError {
    TlsError::Unusable { file: file.display().to_string(), problem }
}
