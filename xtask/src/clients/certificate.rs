//! A certificate for one run of the client tests, signed by itself, made by the `openssl` program.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

const SERVER: &str = "[server]\n";

/// Where certificate and key are.
pub struct Certificate {
    file: PathBuf,
    key: PathBuf,
}

impl Certificate {
    pub fn create(folder: &Path) -> Result<Self> {
        let made = Self { file: folder.join("server.pem"), key: folder.join("server.key") };
        let mut openssl = Command::new("openssl");
        openssl
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
            .arg(&made.key)
            .arg("-out")
            .arg(&made.file);
        let output = openssl.output().context("`openssl` could not be started")?;
        if !output.status.success() {
            bail!("openssl made no certificate: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        fs::set_permissions(&made.key, Permissions::from_mode(0o600)).context("cannot protect the key")?;
        Ok(made)
    }

    /// What clients are told to trust.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Has the gateway of this workspace use it from its next start on.
    pub fn name_in(&self, settings: &Path) -> Result<()> {
        let text = fs::read_to_string(settings)?;
        let (before, after) = text.split_once(SERVER).context("the example workspace has no [server]")?;
        let lines = format!("tls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\n", self.file.display(), self.key.display());
        Ok(fs::write(settings, [before, SERVER, &lines, after].concat())?)
    }
}
