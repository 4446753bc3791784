//! The deployment file: where the parts of a distributed Custody stand. One file for all services; each reads its own section and what
//! all share. What governs requests (capabilities, policies, prices) is the workspace's, not this file's.

mod kafka;
mod services;
mod vault;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use custody_config::{Mistakes, Reader};
use custody_lake::{LakeRoot, S3Options};
use toml::Table;

pub use self::{
    kafka::Log,
    services::{GatewayService, IngestService, MaintenanceJob, OfficeService, QueryService},
    vault::{OVERLAP_MINUTES, RETENTION_HOURS, Vault, VaultKeys},
};

/// What one deployment file means.
#[derive(Debug)]
pub struct Deployment {
    /// Folder of capabilities, policies, prompts, prices.
    pub workspace_dir: PathBuf,
    /// The log.
    pub log: Log,
    /// The lake.
    pub lake: LakeRoot,
    /// The vault; without one no text can be kept.
    pub vault: Option<Vault>,
    pub gateway: GatewayService,
    pub ingest: IngestService,
    pub query: QueryService,
    pub office: OfficeService,
}

/// What the file says can't be meant; all its mistakes, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeploymentMistakes(String);

/// A commented example, for `--help` and for the deployment page.
pub const EXAMPLE: &str = include_str!("example.toml");

impl Deployment {
    /// Reads a file, and reports every mistake in it at once.
    ///
    /// # Errors
    /// When the file can't be read, or what it says can't be meant.
    pub fn load(file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("the deployment file `{shown}` cannot be read"))?;
        Self::parse(&file.to_string_lossy(), &text)
    }

    fn parse(file: &str, text: &str) -> Result<Self> {
        let table: Table =
            text.parse().map_err(|error: toml::de::Error| DeploymentMistakes(format!("`{file}` is not TOML: {}", error.message())))?;
        let mistakes = Mistakes::default();
        let deployment = read(&Reader::new(file, &table, &mistakes));
        let found = mistakes.into_vec();
        match deployment {
            Some(deployment) if found.is_empty() => Ok(deployment),
            _ => {
                let all: Vec<String> = found.iter().map(ToString::to_string).collect();
                Err(DeploymentMistakes(format!("the deployment file has {} mistakes: {}", all.len(), all.join(" | "))).into())
            }
        }
    }
}

fn read(root: &Reader<'_>) -> Option<Deployment> {
    let workspace_dir = root.text("workspace", "the folder of the workspace").map(PathBuf::from);
    let vault = vault::read(root);
    let log = kafka::read(root.section("log"), vault.as_ref());
    let lake = read_lake(root.section("lake"));
    let gateway = services::read_gateway(root.section("gateway"));
    let ingest = services::read_ingest(root.section("ingest"));
    let query = services::read_query(root.section("query"));
    let office = services::read_office(root.section("office"), gateway.as_ref());
    root.refuse_unknown();
    let (workspace_dir, log, lake) = (workspace_dir?, log?, lake?);
    Some(Deployment { workspace_dir, log, lake, vault, gateway: gateway?, ingest: ingest?, query: query?, office: office? })
}

fn read_lake(reader: Reader<'_>) -> Option<LakeRoot> {
    let root = reader.text("root", "a folder, or s3://bucket/prefix");
    let options = S3Options {
        endpoint: reader.optional_parsed("endpoint", "an address such as https://s3.example.org"),
        region: reader.optional_text("region", "a region such as eu-central-1").map(str::to_owned),
    };
    let lake = LakeRoot::parse(root?, options);
    let lake = lake.map_err(|error| reader.mistake("root", error.to_string(), "use a folder, or s3://bucket/prefix"));
    reader.finish();
    lake.ok()
}

#[cfg(test)]
mod tests;
