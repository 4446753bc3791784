//! The example workspace, compiled in, so that `custody up` needs nothing else.

use std::{collections::BTreeSet, fs, io, path::Path};

use custody_policy::{GroupName, PrincipalKind};
use custody_types::{Fault, FaultOwner, PrincipalId, Retry, SensitiveText, TenantId};

use super::{
    Workspace, WorkspaceError,
    keys::{self, KeyRecord, NoRandomnessError},
};

macro_rules! example_files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../examples/workspace/", $path)))),+]
    };
}

/// Path inside the workspace, and content. The main file comes last: where it stands, the workspace is complete.
const FILES: &[(&str, &str)] = example_files!(
    "tenants.toml",
    "capabilities/support-answer.toml",
    "capabilities/docs-summarise.toml",
    "capabilities/ticket-classify.toml",
    "prompts/support-answer/v1.toml",
    "prompts/docs-summarise/v1.toml",
    "prompts/ticket-classify/v1.toml",
    "policies/schema.cedarschema",
    "policies/capabilities.cedar",
    "policies/reveals.cedar",
    "policies/routes.cedar",
    "prices/2026-11.toml",
    "custody.toml",
);

/// Tenant and holder of the example's keys.
const HOLDERS: [(&str, &str); 2] = [("acme", "support-app"), ("globex", "support-app")];

/// A key that was just made; its text is shown once.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// Tenant it belongs to.
    pub tenant: TenantId,
    /// Who holds it.
    pub principal: PrincipalId,
    /// The key itself.
    pub token: SensitiveText,
}

/// The workspace could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// A file could not be written.
    #[error("`{path}` could not be written")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No key can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomnessError),
    /// What is there already cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A name is not a label: a defect of the example.
    #[error("a name of the example workspace is not a label")]
    Label,
}

impl Fault for ExampleError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Label => FaultOwner::Product,
            _ => FaultOwner::Operator,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        "workspace_not_written"
    }
}

/// Writes the example workspace into a folder. Files that are there already are left alone, save the keys: those are made anew.
///
/// # Errors
/// When a file cannot be written.
pub fn write_example(folder: &Path) -> Result<Vec<IssuedKey>, ExampleError> {
    let issued = write_fresh_keys(folder)?;
    for (path, content) in FILES {
        let file = folder.join(path);
        if file.exists() {
            continue;
        }
        let parent = file.parent().unwrap_or(folder);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&file, content));
        written.map_err(|source| ExampleError::File { path: (*path).to_owned(), source })?;
    }
    Ok(issued)
}

fn write_fresh_keys(folder: &Path) -> Result<Vec<IssuedKey>, ExampleError> {
    fs::create_dir_all(folder).map_err(|source| ExampleError::File { path: keys::FILE.to_owned(), source })?;
    let mut issued = Vec::new();
    let mut records = Vec::new();
    for (tenant, principal) in HOLDERS {
        let tenant: TenantId = tenant.parse().map_err(|_| ExampleError::Label)?;
        let principal: PrincipalId = principal.parse().map_err(|_| ExampleError::Label)?;
        issue(&mut records, &mut issued, tenant, (principal, PrincipalKind::Service), BTreeSet::new())?;
    }
    write_keys(folder, &records)?;
    Ok(issued)
}

/// Gives each tenant a key of a person or program in the given groups, adding the tenants that are not there yet.
///
/// # Errors
/// When the workspace cannot be read or written.
pub fn add_tenant_keys(
    folder: &Path,
    tenants: &[TenantId],
    (principal, kind): (&PrincipalId, PrincipalKind),
    groups: &BTreeSet<GroupName>,
) -> Result<Vec<IssuedKey>, ExampleError> {
    let workspace = Workspace::load(folder)?;
    let mut records: Vec<KeyRecord> = workspace.keys.iter().map(|key| key.record.clone()).collect();
    records.sort_by(|a, b| a.id.cmp(&b.id));
    let file = folder.join("tenants.toml");
    let broken = |source| ExampleError::File { path: "tenants.toml".to_owned(), source };
    let mut text = fs::read_to_string(&file).map_err(broken)?;
    let mut issued = Vec::new();
    let mut known: BTreeSet<TenantId> = workspace.tenants.keys().cloned().collect();
    for tenant in tenants {
        if known.insert(tenant.clone()) {
            text.push_str(&format!("\n[[tenant]]\nid = \"{tenant}\"\n"));
        }
        issue(&mut records, &mut issued, tenant.clone(), (principal.clone(), kind), groups.clone())?;
    }
    fs::write(&file, text).map_err(broken)?;
    write_keys(folder, &records)?;
    Ok(issued)
}

fn issue(
    records: &mut Vec<KeyRecord>,
    issued: &mut Vec<IssuedKey>,
    tenant: TenantId,
    (principal, kind): (PrincipalId, PrincipalKind),
    groups: BTreeSet<GroupName>,
) -> Result<(), ExampleError> {
    let (record, token) = keys::create(tenant.clone(), principal.clone(), kind, groups)?;
    records.push(record);
    issued.push(IssuedKey { tenant, principal, token });
    Ok(())
}

fn write_keys(folder: &Path, records: &[KeyRecord]) -> Result<(), ExampleError> {
    let text = keys::render(records);
    let written = crate::private_file::replace(&folder.join(keys::FILE), text.as_bytes());
    written.map_err(|source| ExampleError::File { path: keys::FILE.to_owned(), source })
}
