//! Where an instance of the services keeps what: one folder for what `down` removes, one beside it for what was downloaded.
//!
//! ```text
//! <dir>/services.json        what was started (state.rs)
//! <dir>/env.sh               the environment for tests
//! <dir>/access/          certificates and a password for Kafka (certificates.rs)
//! <dir>/kafka-1/, …          a broker's server.properties and log segments
//! <dir>/s3/                  credentials.json and the store's data
//! <dir>/logs/kafka-1.log, …  what each process printed
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::service::ServiceName;
use crate::run;

const LOGS: &str = "logs";

/// The folders of one instance.
pub struct Place {
    dir: PathBuf,
    cache: PathBuf,
}

impl Place {
    /// The given folder, or the one in the target folder.
    pub fn new(dir: Option<&Path>) -> Result<Self> {
        let target = run::target_dir()?;
        let dir = std::path::absolute(dir.map_or_else(|| target.join("services"), Path::to_path_buf))?;
        Ok(Self { dir, cache: target.join("services-cache") })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn cache(&self) -> &Path {
        &self.cache
    }

    pub fn state_file(&self) -> PathBuf {
        self.dir.join("services.json")
    }

    pub fn environment_file(&self) -> PathBuf {
        self.dir.join("env.sh")
    }

    pub fn credentials_file(&self) -> PathBuf {
        self.folder(ServiceName::S3).join("credentials.json")
    }

    /// The folder of what lets clients into Kafka.
    pub fn access(&self) -> PathBuf {
        self.dir.join("access")
    }

    pub fn folder(&self, service: ServiceName) -> PathBuf {
        self.dir.join(service.file_name())
    }

    pub fn log_file(&self, service: ServiceName) -> PathBuf {
        self.dir.join(LOGS).join(format!("{}.log", service.file_name()))
    }

    /// Only one task at a time may start or stop services or fill the cache. The lock is let go with the file, or with the process.
    pub fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.cache).with_context(|| format!("cannot create {}", self.cache.display()))?;
        let file = File::create(self.cache.join("lock"))?;
        if file.try_lock().is_err() {
            run::say("services: waiting for another task that starts or stops services");
            file.lock().context("cannot lock the services")?;
        }
        Ok(file)
    }

    /// Whether something is in the folder that no instance put there. Logs stay behind when a first start fails.
    pub fn holds_other_things(&self) -> bool {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name() != LOGS)
    }

    /// Removes what the services wrote, without their logs, and nothing else.
    pub fn remove_data(&self, services: impl Iterator<Item = ServiceName>) -> Result<()> {
        for service in services {
            remove_folder(&self.folder(service))?;
        }
        remove_folder(&self.access())?;
        for file in [self.environment_file(), self.state_file()].iter().filter(|file| file.exists()) {
            fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(())
    }

    /// Removes the logs, and the folder if nothing is left in it.
    pub fn remove_logs(&self) -> Result<()> {
        remove_folder(&self.dir.join(LOGS))?;
        // Fails where something else is in the folder, which is then not ours to remove.
        let _ = fs::remove_dir(&self.dir);
        Ok(())
    }
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Writes a file that only its owner may read; a reader sees the old text or the new, never a part.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let fresh = path.with_extension("new");
    // What a broken-off write left behind may have other permissions.
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&fresh, path).with_context(|| format!("cannot write {}", path.display()))
}
