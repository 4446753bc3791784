//! A data folder with kept texts, made as ingest makes them, and what of it opens.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use custody_event::{ContentRecord, Octets};
use custody_ingest::content::ParkedBatch;
use custody_lake::{ContentRow, ContentRows, ContentStore, LakeReader, LakeRoot, TableStore, TextState};
use custody_seal::{
    OpenedText, Part, PseudonymKey, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgeTerms, EdgeWindow, SegmentSealer},
    rest::{ContentSchema, ShredUnit, UnitKey},
    wrap::WrappedKey,
};
use custody_types::{Clock, EventId, IdSource, JournalId, LogPosition, LogRecord, RequestId, Seq, Source, Timestamp};
use custody_vault::{
    CacheLimits, Claims, KeptUnit, KeyProvider, KeyService, Objects, OsEntropy, ParkedPlace, ParkedRecords, PseudonymKeys, Tombstones,
    UnitKeys, VaultRoot, open_objects, open_wrapper,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::harness::Up;

#[expect(clippy::disallowed_methods, reason = "the program that is tested makes its ids so")]
fn new_id() -> Uuid {
    Uuid::now_v7()
}

const DAY: i64 = 86_400_000_000;
const SCHEMA: ContentSchema = ContentSchema(1);

/// The texts that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// Of the person who is erased.
    Person,
    /// Of the same; it lies in a claim check.
    LargeOfPerson,
    /// Of another person of the tenant.
    Neighbour,
    /// Of the tenant, of a month that is long over, and due.
    Due,
    /// Of the tenant, of no person.
    Nameless,
    /// Of a person of the same pseudonym at another tenant.
    OtherTenant,
}

/// What is left of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    pub opens: BTreeSet<Text>,
    pub claims: usize,
    pub parked: usize,
    /// Tenants whose key of pseudonyms opens.
    pub pseudonyms: BTreeSet<String>,
}

/// A data folder.
pub struct Site {
    folder: tempfile::TempDir,
    runtime: Runtime,
}

struct Vault {
    objects: Arc<dyn Objects>,
    keys: Arc<dyn KeyProvider>,
    units: UnitKeys,
    pseudonyms: PseudonymKeys,
}

struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        now()
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

impl IdSource for System {
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(new_id())
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(new_id())
    }
}

#[expect(clippy::disallowed_methods, reason = "the program that is tested has the machine's clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

impl Text {
    const ALL: [Self; 6] = [Self::Person, Self::LargeOfPerson, Self::Neighbour, Self::Due, Self::Nameless, Self::OtherTenant];

    fn number(self) -> u64 {
        Self::ALL.iter().position(|text| *text == self).unwrap() as u64
    }

    pub fn request(self) -> RequestId {
        RequestId::from_uuid(Uuid::from_u64_pair(0x019a_0000_0000_7000, 0x8000_0000_0000_0000 | self.number()))
    }

    fn context(self) -> TextContext {
        let (tenant, person) = match self {
            Self::Person | Self::LargeOfPerson => ("acme", Some("p-1")),
            Self::Neighbour => ("acme", Some("p-2")),
            Self::Due => ("acme", Some("p-3")),
            Self::Nameless => ("acme", None),
            Self::OtherTenant => ("globex", Some("p-1")),
        };
        TextContext {
            tenant: tenant.parse().unwrap(),
            person: person.map(|person| person.parse().unwrap()),
            request: self.request(),
            part: Part::Prompt,
            ordinal: 0,
            purpose: "quality-review".parse().unwrap(),
            retention: "short".parse().unwrap(),
        }
    }

    fn made_at(self) -> Timestamp {
        let days = if self == Self::Due { 80 } else { 1 };
        Timestamp::from_micros(now().micros() - days * DAY)
    }

    fn expires_on(self) -> i32 {
        let days = if self == Self::Due { -10 } else { 30 };
        i32::try_from(now().utc_day()).unwrap() + days
    }
}

impl Site {
    /// A workspace, a lake and a vault with every text.
    pub fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), runtime: Runtime::new().unwrap() };
        Up::start(site.data()).stop();
        site.runtime.block_on(site.fill());
        site
    }

    /// The same once more.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copied = Command::new("cp").arg("-a").arg(format!("{}/.", self.data().display())).arg(folder.path()).status().unwrap();
        assert!(copied.success());
        Self { folder, runtime: Runtime::new().unwrap() }
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    fn lake(&self) -> LakeRoot {
        LakeRoot::folder(self.data().join("lake"))
    }

    fn key_file(&self) -> PathBuf {
        self.data().join("vault.key")
    }

    async fn vault(&self) -> Vault {
        let clock: Arc<dyn Clock> = Arc::new(System);
        let objects = open_objects(&VaultRoot::folder(self.data().join("vault"))).await.unwrap();
        let keys = open_wrapper(&KeyService::File { path: self.key_file(), passphrase: None }, Arc::clone(&clock)).await.unwrap();
        let wrapper = Arc::clone(&keys) as Arc<dyn custody_seal::wrap::KeyWrapper>;
        let units = UnitKeys::new(Arc::clone(&objects), Arc::clone(&wrapper), Arc::clone(&clock), CacheLimits::default());
        let pseudonyms = PseudonymKeys::new(Arc::clone(&objects), wrapper, clock, CacheLimits::default());
        Vault { objects, keys, units, pseudonyms }
    }

    async fn fill(&self) {
        let vault = self.vault().await;
        let store = ContentStore::open(&self.lake(), Arc::new(System), Arc::new(System)).await.unwrap();
        let mut rows = Vec::new();
        for text in Text::ALL {
            rows.push(row(text, &vault).await);
        }
        for tenant in ["acme", "globex"] {
            vault.pseudonyms.for_tenant(&tenant.parse().unwrap()).await.unwrap();
        }
        let staged = store.stage(ContentRows(rows)).await.unwrap();
        let state = store.snapshot().await.unwrap();
        store.commit(&state, staged, &[], new_id()).await.unwrap();
        let records = [Text::Person, Text::Neighbour].map(parked).to_vec();
        let bytes = ParkedBatch(records).encode();
        let place = ParkedPlace::of(EdgeDay::of(now()), "content/1".to_owned(), LogPosition::new(0), &bytes);
        ParkedRecords::new(Arc::clone(&vault.objects)).put(&place, bytes.into()).await.unwrap();
    }

    /// The texts that stand in the table.
    pub fn rows(&self) -> BTreeSet<Text> {
        self.runtime.block_on(async {
            let mut found = BTreeSet::new();
            for text in Text::ALL {
                found.extend(self.row(text).await.map(|_| text));
            }
            found
        })
    }

    async fn row(&self, text: Text) -> Option<ContentRow> {
        let reader = LakeReader::open(&self.lake()).await.unwrap();
        reader.texts_of(&text.request().to_string()).await.unwrap().pop()
    }

    /// Whether a text opens, with what is in table and vault.
    pub fn opens(&self, text: Text) -> bool {
        self.runtime.block_on(async {
            let Some(row) = self.row(text).await else { return false };
            let vault = self.vault().await;
            let kept = vault.units.list_all().await.unwrap();
            let Some(KeptUnit { unit, key }) = kept.into_iter().find(|kept| Some(kept.key.to_string()) == row.unit_key) else {
                return false;
            };
            let Ok(key) = vault.units.for_opening(&unit, key).await else { return false };
            let sealed = match (row.sealed, row.claim) {
                (Some(sealed), _) => sealed,
                (None, Some(claim)) => match Claims::new(vault.objects).get(&claim).await.unwrap() {
                    Some(sealed) => sealed.to_vec(),
                    None => return false,
                },
                (None, None) => return false,
            };
            key.open(&sealed, SCHEMA, &text.context()).is_ok()
        })
    }

    pub fn is_forgotten(&self, text: Text) -> bool {
        self.runtime.block_on(async {
            let forgotten = Tombstones::new(self.vault().await.objects).all().await.unwrap();
            let context = text.context();
            forgotten.covers(&context.tenant, context.person.as_ref(), text.made_at())
        })
    }

    pub fn kept(&self) -> Kept {
        let opens = Text::ALL.into_iter().filter(|text| self.opens(*text)).collect();
        self.runtime.block_on(async {
            let Vault { objects, pseudonyms: keys, .. } = self.vault().await;
            let mut pseudonyms = BTreeSet::new();
            for tenant in keys.tenants().await.unwrap() {
                keys.for_tenant(&tenant).await.unwrap();
                pseudonyms.insert(tenant.to_string());
            }
            let claims = Claims::new(Arc::clone(&objects)).rest().await.unwrap().len();
            let parked = ParkedRecords::new(objects);
            let mut records = 0;
            for place in parked.list().await.unwrap() {
                records += ParkedBatch::decode(&parked.get(&place).await.unwrap().unwrap()).unwrap().0.len();
            }
            Kept { opens, claims, parked: records, pseudonyms }
        })
    }

    /// A copy of the key store: each text's wrapped key.
    pub fn unit_keys(&self) -> Vec<(Text, Vec<u8>, Vec<u8>)> {
        self.runtime.block_on(async {
            let vault = self.vault().await;
            let mut copied = Vec::new();
            for text in Text::ALL {
                let row = self.row(text).await.unwrap();
                let unit = ShredUnit::of(&text.context(), text.made_at());
                let person = unit.person.as_ref().map_or("_", |person| person.as_str());
                let place =
                    format!("units/{}/{person}/{}/{}/{}.key", unit.tenant, unit.purpose, unit.month.number(), row.unit_key.unwrap());
                let wrapped = vault.objects.get(&place.parse().unwrap()).await.unwrap().unwrap();
                copied.extend(row.sealed.map(|sealed| (text, wrapped.to_vec(), sealed)));
            }
            copied
        })
    }

    /// A copy of the key of acme's pseudonyms.
    pub fn pseudonym_key(&self) -> Vec<u8> {
        std::fs::read(self.data().join("vault/pseudonyms/acme.key")).unwrap()
    }

    /// Whether such a copy opens with the key file as it is now.
    pub fn makes_pseudonyms_with(&self, copied: &[u8]) -> bool {
        let wrapped = WrappedKey::decode(copied).unwrap();
        self.runtime.block_on(async { PseudonymKey::unwrap(self.vault().await.keys.as_ref(), &wrapped).await.is_ok() })
    }

    /// What opens with a copy of the key store and of the lake, and with the key file as it is now.
    pub fn opened_with(&self, copied: &[(Text, Vec<u8>, Vec<u8>)]) -> BTreeSet<Text> {
        self.runtime.block_on(async {
            let keys = self.vault().await.keys;
            let mut opened = BTreeSet::new();
            for (text, wrapped, sealed) in copied {
                let wrapped = WrappedKey::decode(wrapped).unwrap();
                let key = UnitKey::unwrap(keys.as_ref(), &wrapped).await;
                opened.extend(key.is_ok_and(|key| key.open(sealed, SCHEMA, &text.context()).is_ok()).then_some(*text));
            }
            opened
        })
    }
}

async fn row(text: Text, vault: &Vault) -> ContentRow {
    let (context, made_at) = (text.context(), text.made_at());
    let unit = ShredUnit::of(&context, made_at);
    let key = vault.units.for_sealing(&unit).await.unwrap();
    let opened = opened(&context);
    let sealed = key.seal(SCHEMA, &context, &opened, &mut OsEntropy).unwrap();
    let content_id = new_id().to_string();
    let (mut sealed, mut claim) = (Some(sealed), None);
    if text == Text::LargeOfPerson {
        let claims = Claims::new(Arc::clone(&vault.objects));
        let bytes = Bytes::from(sealed.take().unwrap());
        claims.put_rest_redacted(text.expires_on(), &content_id, key.id(), bytes.clone()).await.unwrap();
        claim = Some(claims.put_rest(text.expires_on(), &content_id, key.id(), bytes).await.unwrap().to_string());
    }
    ContentRow {
        content_id,
        request_id: context.request.to_string(),
        time: made_at,
        tenant: context.tenant.to_string(),
        person: context.person.as_ref().map(ToString::to_string),
        part: "prompt".to_owned(),
        ordinal: 0,
        purpose: context.purpose.to_string(),
        retention_class: context.retention.to_string(),
        expires_on: text.expires_on(),
        capability: "support.answer".to_owned(),
        data_class: "confidential".to_owned(),
        handling_rule: "support@1".to_owned(),
        redaction: "default".to_owned(),
        bytes: 20,
        commitment: opened.commitment().as_bytes().to_vec(),
        state: TextState::Kept,
        reason: None,
        unit_key: Some(key.id().to_string()),
        unit_month: Some(unit.month.number()),
        redacted_sealed: sealed.clone(),
        sealed,
        claim,
        redactions: Some("{}".to_owned()),
        log_partition: "content/1".to_owned(),
        position: LogPosition::new(text.number()),
        source: source(),
        seq: Seq::new(text.number() + 1),
    }
}

/// A text as ingest has it after opening.
fn opened(context: &TextContext) -> OpenedText {
    let window = EdgeWindow::new(Duration::from_secs(3_600), Duration::from_secs(7 * 86_400));
    let key = EdgePrivateKey::generate(EdgeDay::of(now()), &mut OsEntropy).unwrap();
    let sealer = SegmentSealer::begin(key.public(), window, &mut OsEntropy).unwrap();
    let sealed = sealer.seal(context, &EdgeTerms::default(), b"what erika wrote us.", now()).unwrap();
    let mut opener = EdgeOpener::new();
    opener.hold(key);
    opener.open(&sealed.bytes, context, &EdgeTerms::default()).unwrap()
}

fn source() -> Source {
    Source { journal: JournalId::from_uuid(Uuid::from_u128(7)), epoch: 1 }
}

fn parked(text: Text) -> LogRecord {
    let context = text.context();
    let word = |word: &str| custody_types::Text::from(word);
    let record = ContentRecord {
        content_id: word(&new_id().to_string()),
        request_id: word(&context.request.to_string()),
        time: text.made_at(),
        tenant: context.tenant.text(),
        person: context.person.as_ref().map(custody_types::PersonPseudonym::text),
        part: word("response"),
        ordinal: 0,
        purpose: context.purpose.text(),
        retention_class: context.retention.text(),
        expires_on: text.expires_on(),
        capability: word("support.answer"),
        data_class: word("confidential"),
        handling_rule: word("support@1"),
        redaction: word("default"),
        bytes: 3,
        commitment: Octets(vec![7; 32]),
        sealed: Some(Octets(vec![1, 2, 3])),
        claim: None,
    };
    let (position, seq) = (LogPosition::new(text.number()), Seq::new(text.number() + 1));
    LogRecord { position, source: source(), seq, payload: record.encode().unwrap().into(), damaged: false }
}
