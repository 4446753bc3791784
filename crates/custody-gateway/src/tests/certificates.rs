//! Authorities, certificates and TLS clients for tests.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};
use tempfile::TempDir;

use crate::workspace::TlsFiles;

/// Who signs.
pub(crate) struct Authority {
    pub(crate) certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Issued {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// For this machine, good until the first day of the year.
    pub(crate) fn issue(&self, until: i32) -> Issued {
        self.issue_for(2020, until)
    }

    /// Good between the first days of two years.
    pub(crate) fn issue_for(&self, from: i32, until: i32) -> Issued {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        Issued { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }
}

/// Unix seconds of the first day of a year.
pub(crate) fn new_year(year: i32) -> i64 {
    date_time_ymd(year, 1, 1).unix_timestamp()
}

/// A server's files in a folder of their own.
pub(crate) struct ServerFiles {
    folder: TempDir,
}

impl ServerFiles {
    pub(crate) fn of(issued: &Issued) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.put(issued);
        files
    }

    /// Asks clients for certificates of this authority.
    pub(crate) fn with_clients_of(self, authority: &Authority) -> Self {
        fs::write(self.path("clients.pem"), authority.certificate.pem()).unwrap();
        self
    }

    pub(crate) fn put(&self, issued: &Issued) {
        self.put_key(issued);
        self.put_certificate(&issued.certificate.pem());
    }

    pub(crate) fn put_certificate(&self, pem: &str) {
        fs::write(self.path("server.pem"), pem).unwrap();
    }

    pub(crate) fn put_key(&self, issued: &Issued) {
        fs::write(self.path("server.key"), issued.key.serialize_pem()).unwrap();
        self.protect_key(0o600);
    }

    pub(crate) fn protect_key(&self, mode: u32) {
        fs::set_permissions(self.path("server.key"), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub(crate) fn named(&self) -> TlsFiles {
        let clients = self.path("clients.pem");
        TlsFiles { certificate: self.path("server.pem"), key: self.path("server.key"), client_ca: clients.exists().then_some(clients) }
    }

    /// Lines of `[server]`.
    pub(crate) fn settings(&self) -> String {
        let files = self.named();
        let line = |key: &str, file: &PathBuf| format!("{key} = \"{}\"\n", file.display());
        let clients = files.client_ca.as_ref().map(|file| line("tls_client_ca_file", file)).unwrap_or_default();
        line("tls_certificate_file", &files.certificate) + &line("tls_key_file", &files.key) + &clients
    }
}

/// A client that believes one authority.
pub(crate) fn client_of(authority: &Authority, identity: Option<&Issued>, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_protocol_versions(versions).unwrap();
    let builder = builder.with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let chain: Vec<CertificateDer<'static>> = vec![issued.certificate.der().clone()];
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

/// The same with any version.
pub(crate) fn client(authority: &Authority, identity: Option<&Issued>) -> ClientConfig {
    client_of(authority, identity, &[&TLS13, &TLS12])
}
