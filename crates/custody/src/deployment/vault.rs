//! `[vault]`: where keys and what is sealed stand, who wraps the keys, and how long the content stream must open.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use custody_config::Reader;
use custody_seal::edge::EdgeWindow;
use custody_types::TenantId;
use custody_vault::{KmsOptions, S3Options, VaultRoot};

/// Clocks of gateways may be off by this much, and a segment that is open at midnight may go on as long.
pub const OVERLAP_MINUTES: u64 = 60;
/// A week, as the topic of events has it.
pub const RETENTION_HOURS: u64 = 168;

/// A vault.
#[derive(Debug, Clone)]
pub struct Vault {
    /// Where its objects are.
    pub root: VaultRoot,
    /// Who wraps its keys. Gateways never ask.
    pub keys: VaultKeys,
    /// When the key of a day seals and until when it opens.
    pub window: EdgeWindow,
    /// How long the content stream keeps a record.
    pub content_retention: Duration,
}

/// Who wraps the keys; secrets are references that are read when the keys are opened.
#[derive(Debug, Clone)]
pub enum VaultKeys {
    /// A key file.
    File {
        /// The file; made when it is not there.
        path: PathBuf,
        /// The environment variable that holds its passphrase.
        passphrase_env: Option<String>,
    },
    /// AWS KMS.
    Kms(KmsOptions),
}

/// Nothing where the file has no `[vault]`: then no text can be kept.
pub fn read(root: &Reader<'_>) -> Option<Vault> {
    let section = root.section("vault");
    if !root.has("vault") {
        return None;
    }
    let place = read_root(&section);
    let keys = read_keys(section.section("keys"));
    let overlap = Duration::from_secs(60 * section.number("edge_overlap_minutes", 1..=720, OVERLAP_MINUTES));
    let content_retention = Duration::from_secs(3600 * section.number("content_retention_hours", 1..=8760, RETENTION_HOURS));
    section.finish();
    Some(Vault { root: place?, keys: keys?, window: EdgeWindow::new(overlap, content_retention), content_retention })
}

fn read_root(reader: &Reader<'_>) -> Option<VaultRoot> {
    let options = S3Options {
        endpoint: reader.optional_parsed("endpoint", "an address such as https://s3.example.org"),
        region: reader.optional_text("region", "a region such as eu-central-1").map(str::to_owned),
    };
    let root = VaultRoot::parse(reader.text("root", "a folder, or s3://bucket/prefix")?, options);
    root.map_err(|error| reader.mistake("root", error.to_string(), "use a folder, or s3://bucket/prefix")).ok()
}

fn read_keys(reader: Reader<'_>) -> Option<VaultKeys> {
    const ACCEPTED: &str = "file or kms";
    let keys = match reader.text("kind", ACCEPTED)? {
        "file" => read_file(&reader),
        "kms" => read_kms(&reader),
        other => {
            reader.mistake("kind", format!("is `{other}`"), format!("use {ACCEPTED}"));
            None
        }
    };
    reader.finish();
    keys
}

fn read_file(reader: &Reader<'_>) -> Option<VaultKeys> {
    let path = reader.text("path", "a file on a disk that survives restarts and is backed up").map(PathBuf::from);
    let passphrase_env = reader.optional_text("passphrase_env", "the name of an environment variable").map(str::to_owned);
    Some(VaultKeys::File { path: path?, passphrase_env })
}

fn read_kms(reader: &Reader<'_>) -> Option<VaultKeys> {
    const KEY: &str = "the id, ARN or alias of a KMS key";
    let default_key = reader.text("default_key", KEY).map(str::to_owned);
    let mut tenants = BTreeMap::new();
    for (tenant, key) in reader.texts("tenants", KEY) {
        match tenant.parse::<TenantId>() {
            Ok(tenant) => {
                tenants.insert(tenant, key.to_owned());
            }
            Err(error) => reader.mistake("tenants", error.to_string(), "use names of tenants"),
        }
    }
    let region = reader.optional_text("region", "a region such as eu-central-1").map(str::to_owned);
    let endpoint = reader.optional_parsed("endpoint", "an address such as https://kms.example.org");
    let options = KmsOptions { default_key: default_key?, tenants, region, endpoint };
    options.check().map_err(|error| reader.mistake("default_key", error.to_string(), format!("use {KEY}, and `https`"))).ok()?;
    Some(VaultKeys::Kms(options))
}
