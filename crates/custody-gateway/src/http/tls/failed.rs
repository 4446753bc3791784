//! Why a handshake failed, as one of a few words. What the peer sent is in none of them: it is a stranger's, and goes to no log.

use std::io;

use rustls::Error;

/// Why a handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// It did not end in time.
    TooSlow,
    /// The client went away.
    Closed,
    /// What came is not TLS; most often a client that was told `http` instead of `https`.
    NotTls,
    /// A client without the certificate that it needs.
    NoClientCertificate,
    /// A client's certificate of another authority, or out of its time.
    ClientCertificateRefused,
    /// The client does not trust the certificate, or wanted something else.
    RefusedByClient,
    /// No version, cipher or protocol in common.
    NothingInCommon,
    /// Against the rules of the protocol.
    Protocol,
}

impl Failed {
    pub(super) const ALL: [Self; 8] = [
        Self::TooSlow,
        Self::Closed,
        Self::NotTls,
        Self::NoClientCertificate,
        Self::ClientCertificateRefused,
        Self::RefusedByClient,
        Self::NothingInCommon,
        Self::Protocol,
    ];

    pub(super) fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            None => Self::Closed,
            Some(Error::InvalidMessage(_)) => Self::NotTls,
            Some(Error::NoCertificatesPresented) => Self::NoClientCertificate,
            Some(Error::InvalidCertificate(_)) => Self::ClientCertificateRefused,
            Some(Error::AlertReceived(_)) => Self::RefusedByClient,
            Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => Self::NothingInCommon,
            Some(_) => Self::Protocol,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::Closed => "closed",
            Self::NotTls => "not_tls",
            Self::NoClientCertificate => "no_client_certificate",
            Self::ClientCertificateRefused => "client_certificate_refused",
            Self::RefusedByClient => "refused_by_client",
            Self::NothingInCommon => "nothing_in_common",
            Self::Protocol => "protocol",
        }
    }
}
