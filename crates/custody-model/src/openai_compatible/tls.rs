//! Whom a server's certificate must come from: the system's authorities, or the operator's own alone.

use std::{path::Path, sync::Arc};

use hyper_rustls::ConfigBuilderExt;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

/// What is trusted; the error is a sentence for the operator.
pub(super) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let trusted = match ca_file {
        None => {
            let system = builder()?.with_native_roots();
            system.map_err(|error| format!("the system's root certificates can't be read: {error}"))?
        }
        Some(file) => builder()?.with_root_certificates(authorities(file)?),
    };
    Ok(trusted.with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(|error| format!("TLS can't be set up: {error}"))
}

fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let shown = file.display();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| format!("ca_file: `{shown}` can't be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| format!("ca_file: `{shown}` is no PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("ca_file: `{shown}` has a certificate that can't be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err(format!("ca_file: `{shown}` has no certificate"));
    }
    Ok(roots)
}
