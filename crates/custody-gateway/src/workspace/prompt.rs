//! Prompt versions: immutable texts with an owner and an approver. A changed text is a new version in a new file.

use std::collections::BTreeMap;

use custody_config::{Mistakes, Reader};
use custody_types::{PromptId, Text};
use sha2::{Digest, Sha256};
use toml::Table;

/// One version of one prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptVersion {
    /// The prompt.
    pub id: PromptId,
    /// Its version, from 1.
    pub version: u64,
    /// The version as events carry it.
    pub version_text: Text,
    /// Who answers for it.
    pub owner: Text,
    /// Who approved it.
    pub approved_by: Text,
    /// The system text.
    pub text: Text,
    /// SHA-256 of the text, hex.
    pub hash: Text,
}

/// Prompts by id and version.
pub(super) type Prompts = BTreeMap<(PromptId, u64), PromptVersion>;

pub(super) fn read(file: &str, table: &Table, mistakes: &Mistakes, prompts: &mut Prompts) {
    let reader = Reader::new(file, table, mistakes);
    let id: Option<PromptId> = reader.parsed("id", "the name of the prompt's folder");
    let version = reader.number("version", 1..=1_000_000, 0);
    let owner = reader.text("owner", "the team that answers for the prompt");
    let approved_by = reader.text("approved_by", "the person or team that approved this version");
    let text = reader.text("text", "the prompt's text");
    if version == 0 && !reader.has("version") {
        reader.mistake("version", "is missing", "use a whole number from 1");
    }
    if let Some(id) = &id {
        let expected = format!("prompts/{id}/v{version}.toml");
        if version > 0 && expected != file {
            reader.mistake("id", format!("and `version` say `{expected}`, but the file is `{file}`"), "make file name and content agree");
        }
    }
    reader.finish();
    if let (Some(id), Some(owner), Some(approved_by), Some(text)) = (id, owner, approved_by, text) {
        let hash = Text::from(crate::keyed::hex(&Sha256::digest(text)));
        let version_text = Text::from(version.to_string());
        let prompt = PromptVersion {
            version,
            version_text,
            owner: owner.into(),
            approved_by: approved_by.into(),
            text: text.into(),
            hash,
            id: id.clone(),
        };
        prompts.insert((id, version), prompt);
    }
}
