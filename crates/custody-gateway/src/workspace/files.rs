//! The files of a workspace as bytes, and their hash. What is not a workspace file is noted, never skipped in silence.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use custody_config::Mistakes;
use sha2::{Digest, Sha256};

/// No workspace file is larger than this; a larger one is a mistake, such as a log put into the folder.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Relative path with `/`, to content.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceFiles(pub BTreeMap<String, String>);

impl WorkspaceFiles {
    /// Reads a folder. Hidden files, `README.md` and the folder `data` are none of the workspace's business.
    pub(crate) fn read(folder: &Path, mistakes: &Mistakes) -> io::Result<Self> {
        let mut files = Self::default();
        files.read_folder(folder, "", mistakes)?;
        Ok(files)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str, mistakes: &Mistakes) -> io::Result<()> {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        entries.sort();
        for path in entries {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let relative = format!("{prefix}{name}");
            if name.starts_with('.') || relative == "README.md" || relative == "data" {
                continue;
            }
            if path.is_dir() {
                self.read_folder(&path, &format!("{relative}/"), mistakes)?;
            } else {
                self.read_file(&path, relative, mistakes);
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, relative: String, mistakes: &Mistakes) {
        if !is_workspace_file(&relative) {
            let accepted = "use custody.toml, tenants.toml, keys.toml, data-handling.toml, capabilities/*.toml, prompts/<id>/v<N>.toml, policies/*.cedar, policies/schema.cedarschema or prices/*.toml";
            return mistakes.add(&relative, "", "is not a workspace file", accepted);
        }
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size > MAX_FILE_BYTES {
            return mistakes.add(&relative, "", format!("has {size} bytes"), format!("use a file of at most {MAX_FILE_BYTES} bytes"));
        }
        match fs::read_to_string(path) {
            Ok(text) => {
                self.0.insert(relative, text);
            }
            Err(error) => mistakes.add(&relative, "", format!("cannot be read: {error}"), "use a readable UTF-8 file"),
        }
    }

    /// One file's text.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files of one folder with one ending, in order of their names.
    pub(crate) fn in_folder<'a>(&'a self, folder: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let inside = move |path: &&String| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) && path.ends_with(ending);
        self.0.iter().filter(move |(path, _)| inside(path)).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// SHA-256 over names, lengths and contents in order of names, hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, text) in &self.0 {
            for part in [path, text] {
                hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hasher.update(part);
            }
        }
        crate::keyed::hex(&hasher.finalize())
    }
}

fn is_workspace_file(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["custody.toml" | "tenants.toml" | "keys.toml" | "data-handling.toml"] | ["policies", "schema.cedarschema"] => true,
        ["capabilities" | "prices", file] => file.ends_with(".toml"),
        ["policies", file] => file.ends_with(".cedar"),
        ["prompts", _, file] => file.starts_with('v') && file.ends_with(".toml"),
        _ => false,
    }
}
