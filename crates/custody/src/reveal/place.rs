//! Where a reveal finds what it stands on: in the folder of `custody up`, or where a deployment file says.

use std::path::PathBuf;

use anyhow::{Context, Result};
use custody_lake::LakeRoot;

use crate::{
    deployment::{Deployment, Vault},
    lake::PlaceArgs,
    office::OfficePlace,
};

/// Workspace, lake, vault and office journal that belong together.
#[derive(Debug)]
pub struct RevealPlace {
    /// What governs.
    pub workspace: PathBuf,
    /// The table of texts.
    pub lake: LakeRoot,
    /// The keys.
    pub vault: Vault,
    /// Where it is recorded.
    pub office: OfficePlace,
}

impl RevealPlace {
    /// Where the arguments of a command point.
    pub fn of(place: &PlaceArgs) -> Result<Self> {
        let Some(file) = &place.config else {
            let folder = &place.data_dir;
            let (workspace, lake) = (folder.join("workspace"), LakeRoot::folder(folder.join("lake")));
            return Ok(Self { workspace, lake, vault: Vault::in_folder(folder), office: OfficePlace::in_folder(folder) });
        };
        let deployment = Deployment::load(file)?;
        let office = OfficePlace::in_deployment(&deployment);
        Self::in_deployment(&deployment, office).with_context(|| format!("`{}`", file.display()))
    }

    /// Of a deployment.
    pub fn in_deployment(deployment: &Deployment, office: OfficePlace) -> Result<Self> {
        let vault = deployment.vault.clone().context("the deployment file has no [vault]: no text is kept there")?;
        Ok(Self { workspace: deployment.workspace_dir.clone(), lake: deployment.lake.clone(), vault, office })
    }
}
