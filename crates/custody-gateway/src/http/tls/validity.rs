//! From when to when a certificate is good. The verifier of clients' certificates knows it, and is the only reader of certificates here:
//! asked at a moment outside of that time it names the border, before it looks for an authority, of which it is given none.

use std::time::Duration;

use rustls::{
    CertificateError, Error, RootCertStore,
    client::verify_server_cert_signed_by_trust_anchor,
    pki_types::{CertificateDer, UnixTime},
    server::ParsedCertificate,
};

/// How a certificate's time stands to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    NotYet,
    Until(UnixTime),
    Past,
}

/// Nothing where it is no certificate.
pub(super) fn validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<Validity> {
    let certificate = ParsedCertificate::try_from(certificate).ok()?;
    match verdict(&certificate, now)? {
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => return Some(Validity::NotYet),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => return Some(Validity::Past),
        _ => {}
    }
    match verdict(&certificate, UnixTime::since_unix_epoch(Duration::MAX))? {
        CertificateError::ExpiredContext { not_after, .. } => Some(Validity::Until(not_after)),
        _ => None,
    }
}

fn verdict(certificate: &ParsedCertificate<'_>, time: UnixTime) -> Option<CertificateError> {
    match verify_server_cert_signed_by_trust_anchor(certificate, &RootCertStore::empty(), &[], time, &[]) {
        Err(Error::InvalidCertificate(error)) => Some(error),
        _ => None,
    }
}
