//! Certificates for Kafka's protected listeners, made by the `openssl` program: an authority of this instance's own, which signs one
//! certificate for all brokers and one for a client. Its key is thrown away; nothing else can be signed afterwards.
//!
//! ```text
//! <dir>/access/ca.pem                    the authority
//! <dir>/access/broker.pem                the brokers' key and certificate, as Kafka takes them: one file
//! <dir>/access/client.pem, client.key    the client's
//! ```

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::place::{Place, write_private};
use crate::run;

const PROFILES: &str = "xtask/services/openssl.cnf";
/// Longer than any instance is kept.
const DAYS: &str = "825";

/// Where the certificates of one instance are.
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    pub fn of(place: &Place) -> Self {
        Self { folder: place.access() }
    }

    /// Makes them all anew.
    pub fn create(&self) -> Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        self.make("ca", "authority", "/CN=Custody tests", &[])?;
        let authority = [Path::new("-CA"), &self.authority(), Path::new("-CAkey"), &self.file("ca.key")].map(Path::to_path_buf);
        self.make("broker", "broker", "/CN=broker", &authority)?;
        self.make("client", "client", "/CN=custody-test", &authority)?;
        fs::remove_file(self.file("ca.key"))?;
        let (key, certificate) = (self.file("broker.key"), self.broker());
        write_private(&certificate, &(fs::read_to_string(&key)? + &fs::read_to_string(&certificate)?))?;
        fs::remove_file(key).context("cannot remove the broker's key")
    }

    pub fn authority(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Key and certificate.
    pub fn broker(&self) -> PathBuf {
        self.file("broker.pem")
    }

    pub fn client(&self) -> PathBuf {
        self.file("client.pem")
    }

    pub fn client_key(&self) -> PathBuf {
        self.file("client.key")
    }

    /// A key and its certificate; signed by itself unless the options name an authority.
    fn make(&self, name: &str, profile: &str, subject: &str, more: &[PathBuf]) -> Result<()> {
        let (key, certificate) = (self.file(&format!("{name}.key")), self.file(&format!("{name}.pem")));
        let mut openssl = Command::new("openssl");
        openssl
            .args(["req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", DAYS])
            .args(["-subj", subject, "-extensions", profile, "-config"])
            .arg(run::root().join(PROFILES))
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .args(more);
        let output = openssl.output().context("`openssl` could not be started")?;
        if !output.status.success() {
            bail!("openssl made no certificate for the {profile}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        for file in [key, certificate] {
            fs::set_permissions(&file, Permissions::from_mode(0o600)).with_context(|| format!("cannot protect {}", file.display()))?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
