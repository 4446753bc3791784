//! API keys: `ck_<id>_<secret>`, of which only the SHA-256 is kept. The secret has 256 bits of randomness, so that a plain hash
//! cannot be searched; the comparison takes the same time whatever is wrong.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use custody_config::{Mistakes, Reader};
use custody_policy::{GroupName, Principal, PrincipalFacts, PrincipalKind};
use custody_types::{ApiKeyId, PrincipalId, SensitiveText, TenantId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use toml::Table;

use super::tenants::Tenant;

pub(super) const FILE: &str = "keys.toml";
const PREFIX: &str = "ck_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;
/// No key is longer; longer text is refused before it is hashed.
const MAX_TOKEN_BYTES: usize = 256;

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its public half.
    pub id: ApiKeyId,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// Tenant it belongs to.
    pub tenant: TenantId,
    /// Who holds it.
    pub principal: PrincipalId,
    /// Person or program.
    pub kind: PrincipalKind,
    /// Groups of the holder.
    pub groups: BTreeSet<GroupName>,
}

/// A key that may be used, with its holder ready for policy decisions.
#[derive(Debug)]
pub struct ApiKey {
    /// What is kept of it.
    pub record: KeyRecord,
    /// The holder as policies see them.
    pub policy: Principal,
}

/// All keys that may be used.
#[derive(Debug, Default)]
pub struct KeyRing {
    by_id: HashMap<Box<str>, Arc<ApiKey>>,
}

/// The system gives no randomness; no key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoRandomnessError;

/// Makes a key. The text is shown once and never kept.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn create(
    tenant: TenantId,
    principal: PrincipalId,
    kind: PrincipalKind,
    groups: BTreeSet<GroupName>,
) -> Result<(KeyRecord, SensitiveText), NoRandomnessError> {
    let id = crate::keyed::random::<ID_BYTES>().ok_or(NoRandomnessError)?;
    let secret = crate::keyed::random::<SECRET_BYTES>().ok_or(NoRandomnessError)?;
    let id = crate::keyed::hex(&id);
    let token = SensitiveText::new(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret)));
    let hash = Sha256::digest(token.expose()).into();
    let id = id.parse().map_err(|_| NoRandomnessError)?;
    Ok((KeyRecord { id, hash, tenant, principal, kind, groups }, token))
}

/// The records as the text of `keys.toml`.
#[must_use]
pub fn render(records: &[KeyRecord]) -> String {
    let mut text = String::from("# API keys: only hashes are kept. Written by `custody`; mode 0600.\n");
    for record in records {
        let kind = kind_name(record.kind);
        let groups: Vec<String> = record.groups.iter().map(|group| format!("\"{group}\"")).collect();
        let _ = write!(
            text,
            "\n[[key]]\nid = \"{}\"\nsha256 = \"{}\"\ntenant = \"{}\"\nprincipal = \"{}\"\nkind = \"{kind}\"\ngroups = [{}]\n",
            record.id,
            crate::keyed::hex(&record.hash),
            record.tenant,
            record.principal,
            groups.join(", "),
        );
    }
    text
}

impl KeyRing {
    /// The key whose text this is. Takes the same steps for an unknown id as for a wrong secret.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<&Arc<ApiKey>> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (id, _) = token.strip_prefix(PREFIX)?.split_once('_')?;
        let candidate = self.by_id.get(id);
        let expected = candidate.map_or([0; 32], |key| key.record.hash);
        let found: [u8; 32] = Sha256::digest(token).into();
        let equal = bool::from(found.ct_eq(&expected));
        candidate.filter(|_| equal)
    }

    /// All keys, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ApiKey>> {
        self.by_id.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nobody can get in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

pub(super) fn read(table: &Table, tenants: &BTreeMap<TenantId, Tenant>, mistakes: &Mistakes) -> KeyRing {
    let root = Reader::new(FILE, table, mistakes);
    let mut ring = KeyRing::default();
    for section in root.sections("key") {
        if let Some(record) = read_key(&section, tenants) {
            add(&mut ring, record, &section);
        }
        section.finish();
    }
    root.finish();
    ring
}

fn read_key(reader: &Reader<'_>, tenants: &BTreeMap<TenantId, Tenant>) -> Option<KeyRecord> {
    let id: Option<ApiKeyId> = reader.parsed("id", "the key's public half");
    let hash = reader.text("sha256", "64 hexadecimal digits").and_then(|text| read_hash(reader, text));
    let tenant: Option<TenantId> = reader.parsed("tenant", "a tenant of tenants.toml");
    let principal = reader.parsed("principal", "a label such as billing-service");
    let kind = match reader.text("kind", "user or service") {
        Some("user") => Some(PrincipalKind::User),
        Some("service") => Some(PrincipalKind::Service),
        Some(other) => {
            reader.mistake("kind", format!("is `{other}`"), "use user or service");
            None
        }
        None => None,
    };
    let groups = reader.list("groups", "group names").into_iter().collect();
    if let Some(tenant) = tenant.as_ref().filter(|tenant| !tenants.contains_key(*tenant)) {
        reader.mistake("tenant", format!("is `{tenant}`, which tenants.toml does not list"), "use a listed tenant");
        return None;
    }
    Some(KeyRecord { id: id?, hash: hash?, tenant: tenant?, principal: principal?, kind: kind?, groups })
}

fn read_hash(reader: &Reader<'_>, text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let bytes: Option<Vec<u8>> =
        digits.map(|digits| digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect());
    let hash = bytes.filter(|_| text.len() == 64).and_then(|bytes| bytes.try_into().ok());
    if hash.is_none() {
        reader.mistake("sha256", "is not a SHA-256", "use 64 hexadecimal digits, as `custody keys add` writes them");
    }
    hash
}

fn add(ring: &mut KeyRing, record: KeyRecord, reader: &Reader<'_>) {
    let facts = PrincipalFacts {
        tenant: record.tenant.clone(),
        principal: record.principal.clone(),
        kind: record.kind,
        groups: record.groups.clone(),
    };
    let id: Box<str> = record.id.as_str().into();
    match Principal::new(&facts) {
        Err(error) => reader.mistake("principal", error.to_string(), "use plain labels"),
        Ok(policy) => {
            if ring.by_id.insert(id, Arc::new(ApiKey { record, policy })).is_some() {
                reader.mistake("id", "stands here a second time", "use every id once");
            }
        }
    }
}

const fn kind_name(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "user",
        PrincipalKind::Service => "service",
    }
}
