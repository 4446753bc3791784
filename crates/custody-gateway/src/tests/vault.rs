//! The vault as a gateway sees it, and what only the vault may do: open.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use custody_event::{Content, ContentRecord, Event, Kind};
use custody_log::{Journal, JournalConfig, LogReader};
use custody_seal::{
    Part, TextContext,
    edge::{EdgeDay, EdgeOpener, EdgePrivateKey, EdgePublicKeys, EdgeTerms, EdgeWindow},
};
use custody_testkit::disk::SimDisk;
use custody_types::{Clock, JournalId, LogPosition, RequestId, Text};

use super::harness::{Harness, journal_config};
use crate::{CONTENT_RESERVE_BYTES, ClaimError, ClaimStore, ContentOutlet, EdgeKeySource, Recorder, SystemClock, system::SystemEntropy};

/// Keeps everything of `support.answer` of acme.
pub(super) const RULES: &str = r#"
version = 4
claim_above_bytes = 8192

[retention.short]
days = 30

[feedback]
reasons = ["wrong", "rude"]

[[rule]]
name = "not-globex"
tenant = ["globex"]
capture = []

[[rule]]
name = "quality"
capability = ["support.answer"]
capture = ["prompt", "response", "tool_arguments", "feedback"]
purpose = "quality-review"
retention = "short"
"#;

pub(super) const FILE: &str = "data-handling.toml";

/// A gateway that keeps texts, with all that stands around it.
pub(super) struct Kept {
    pub(super) harness: Harness,
    pub(super) vault: Arc<TestVault>,
    pub(super) disk: SimDisk,
    pub(super) journal: Journal,
}

/// Keys and claims.
#[derive(Default)]
pub(super) struct TestVault {
    public: Mutex<Option<Arc<EdgePublicKeys>>>,
    opener: Mutex<EdgeOpener>,
    pub(super) claims: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(super) store_fails: Mutex<bool>,
}

impl TestVault {
    /// With a key for today.
    pub(super) fn open() -> Arc<Self> {
        let vault = Self::default();
        let now = SystemClock::new().now();
        let key = EdgePrivateKey::generate(EdgeDay::of(now), &mut SystemEntropy).unwrap();
        let mut public = EdgePublicKeys::new(window());
        public.publish(key.public().clone(), now);
        *vault.public.lock().unwrap() = Some(Arc::new(public));
        vault.opener.lock().unwrap().hold(key);
        Arc::new(vault)
    }

    /// With no key that may be used.
    pub(super) fn without_keys() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Opens what a record holds, for what the record itself says of it; the text must be the one its event speaks of.
    pub(super) fn read(&self, record: &ContentRecord, fact: &Content) -> String {
        let label = |text: &Text| text.to_string();
        let context = TextContext {
            tenant: record.tenant.parse().unwrap(),
            person: record.person.as_ref().map(|person| person.parse().unwrap()),
            request: record.request_id.parse::<RequestId>().unwrap(),
            part: Part::ALL.into_iter().find(|part| part.as_str() == &*record.part).unwrap(),
            ordinal: u32::try_from(record.ordinal).unwrap(),
            purpose: label(&record.purpose).parse().unwrap(),
            retention: label(&record.retention_class).parse().unwrap(),
        };
        let terms = EdgeTerms {
            content_id: Arc::clone(&record.content_id),
            time: record.time,
            expires_on: record.expires_on,
            capability: Arc::clone(&record.capability),
            data_class: Arc::clone(&record.data_class),
            handling_rule: Arc::clone(&record.handling_rule),
            redaction: Arc::clone(&record.redaction),
        };
        let claims = self.claims.lock().unwrap();
        let sealed = match (&record.sealed, &record.claim) {
            (Some(sealed), None) => &sealed.0,
            (None, Some(claim)) => &claims[&**claim],
            both => panic!("{both:?}"),
        };
        let opened = self.opener.lock().unwrap().open(sealed, &context, &terms).unwrap();
        assert_eq!(opened.commitment().to_string(), &*fact.commitment);
        assert_eq!((&fact.content_id, &fact.part, fact.ordinal), (&record.content_id, &record.part, record.ordinal));
        assert_eq!(opened.commitment().as_bytes().as_slice(), record.commitment.0.as_slice());
        assert_eq!((fact.bytes, fact.claim_check), (record.bytes, record.claim.is_some()));
        String::from_utf8(opened.text().expose().to_vec()).unwrap()
    }
}

pub(super) fn window() -> EdgeWindow {
    EdgeWindow::new(Duration::from_secs(1800), Duration::from_secs(3 * 86_400))
}

impl EdgeKeySource for TestVault {
    fn keys(&self) -> Arc<EdgePublicKeys> {
        self.public.lock().unwrap().clone().unwrap_or_else(|| Arc::new(EdgePublicKeys::new(window())))
    }
}

#[async_trait]
impl ClaimStore for TestVault {
    async fn put(&self, day: EdgeDay, content_id: &str, sealed: Vec<u8>) -> Result<Text, ClaimError> {
        if *self.store_fails.lock().unwrap() {
            return Err(ClaimError("the store is away".into()));
        }
        let name = format!("claims/edge/{day}/{content_id}");
        self.claims.lock().unwrap().insert(name.clone(), sealed);
        Ok(Text::from(name))
    }
}

pub(super) fn content_config() -> JournalConfig {
    JournalConfig {
        new_journal: JournalId::from_uuid(uuid::Uuid::from_u128(8)),
        outcome_reserve_bytes: CONTENT_RESERVE_BYTES,
        ..journal_config()
    }
}

pub(super) async fn keeping(rules: &str, vault: Arc<TestVault>) -> Kept {
    keeping_in(content_config(), rules, vault, &[]).await
}

pub(super) async fn keeping_in(config: JournalConfig, rules: &str, vault: Arc<TestVault>, edits: &[(&str, &str, &str)]) -> Kept {
    let disk = SimDisk::new();
    let (journal, _) = Journal::open(config, Arc::new(disk.clone())).unwrap();
    keeping_over(Arc::new(journal.clone()), disk, journal, rules, vault, edits).await
}

pub(super) async fn keeping_over(
    recorder: Arc<dyn Recorder>,
    disk: SimDisk,
    journal: Journal,
    rules: &str,
    vault: Arc<TestVault>,
    edits: &[(&str, &str, &str)],
) -> Kept {
    let events_disk = SimDisk::new();
    let (events, _) = Journal::open(journal_config(), Arc::new(events_disk.clone())).unwrap();
    let outlet = ContentOutlet { recorder, keys: vault.clone(), claims: vault.clone() };
    let edits: Vec<_> = [(FILE, "", rules)].into_iter().chain(edits.iter().copied()).filter(|(_, _, new)| !new.is_empty()).collect();
    let harness = Harness::keeping(Arc::new(events.clone()), events_disk, events, &edits, Some(outlet)).await;
    Kept { harness, vault, disk, journal }
}

impl Kept {
    /// Everything in the content journal.
    pub(super) async fn records(&self) -> Vec<ContentRecord> {
        records(&self.journal).await
    }

    /// Part, ordinal and text of every content event, opened.
    pub(super) async fn texts(&self) -> Vec<(String, i32, String)> {
        let records = self.records().await;
        let facts: Vec<Content> = self.harness.events().await.iter().filter_map(content).cloned().collect();
        let text = |fact: &Content| {
            let record = records.iter().find(|record| record.content_id == fact.content_id).expect("its record");
            (fact.part.to_string(), fact.ordinal, self.vault.read(record, fact))
        };
        facts.iter().map(text).collect()
    }

    /// Whether the words stand in the clear on a disk or in the store.
    pub(super) fn leaks(&self, words: &str) -> Vec<String> {
        let holds = |bytes: &[u8]| bytes.windows(words.len()).any(|window| window == words.as_bytes());
        let mut found = Vec::new();
        for (whose, disk) in [("events", &self.harness.disk), ("content", &self.disk)] {
            found.extend(disk.names().into_iter().filter(|name| holds(&disk.bytes(name).unwrap())).map(|name| format!("{whose}/{name}")));
        }
        let claims = self.vault.claims.lock().unwrap();
        found.extend(claims.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name.clone()));
        found
    }
}

pub(super) async fn records(journal: &Journal) -> Vec<ContentRecord> {
    let mut reader = journal.reader(LogPosition::START);
    let mut found = Vec::new();
    loop {
        let records = reader.read(1 << 20, Duration::ZERO).await.unwrap();
        if records.is_empty() {
            return found;
        }
        found.extend(records.iter().map(|record| ContentRecord::decode(&record.payload).unwrap()));
    }
}

pub(super) fn content(event: &Event) -> Option<&Content> {
    if let Kind::Content(fact) = &event.kind { Some(fact) } else { None }
}
