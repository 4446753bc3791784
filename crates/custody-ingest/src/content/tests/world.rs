//! A gateway that seals, a log, a vault and a table, all in memory, and an ingest over them that may die at any time.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_event::{ContentRecord, END_PART, Octets};
use custody_lake::{ContentRow, ContentRows, DeadLetter, StoreError, TextState};
use custody_log::LogReader;
use custody_redact::{Action, Entity, Rules};
use custody_seal::{
    Part, TextContext,
    edge::{EdgeDay, EdgeWindow, SegmentSealer},
    rest::{ContentSchema, Month, ShredUnit, UnitKeyId},
};
use custody_testkit::{
    store::{CommitFault, FakeTable, StoreChaos},
    vault::{MemoryObjects, SwitchedKeys},
};
use custody_types::{Clock, JournalId, LogPosition, LogRecord, Seq, Source, Timestamp};
use custody_vault::{
    CacheLimits, Claims, EdgeKeys, Holds, Objects, OsEntropy, ParkedRecords, PseudonymKeys, Tombstone, Tombstones, UnitKeys,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Decode, EventLookup, Ingest, IngestConfig, IngestError, IngestMetrics, IngestParts, Turn,
    content::{
        ContentDecoder, ContentMetrics, RedactionRules, SealedTexts, Unparked, VaultParts, VaultStep, VaultStepConfig, VaultedContentStore,
        texts::terms_of, unpark,
    },
    tests::{fixture::Counted, list_log::ListLog},
};

pub const TEXT: &str = "please write to anna.muster@example.org, she has the contract";
pub const DAY: i64 = 86_400_000_000;
/// Noon of a day.
pub const NOON: i64 = 20_500 * DAY + DAY / 2;

/// One kind is enough here, and quick: that redaction finds what it should is its own crate's to test.
static RULES: LazyLock<RedactionRules> = LazyLock::new(|| {
    let rules = Rules { entities: [Entity::Email].into(), ..Rules::default() };
    let pseudonyms = Rules { actions: [(Entity::Email, Action::Pseudonym)].into(), ..rules.clone() };
    RedactionRules::new(&BTreeMap::from([("default".to_owned(), rules), ("pseudonyms".to_owned(), pseudonyms)])).unwrap()
});

pub type FakeContent = FakeTable<ContentRows>;
pub type WorldIngest = Ingest<ListLog, ContentDecoder, VaultedContentStore<FakeContent>, FakeTable<Vec<DeadLetter>>>;

/// A clock that is set.
#[derive(Default)]
pub struct SetClock(AtomicI64);

impl SetClock {
    pub fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Commit faults in the order they were asked for.
#[derive(Default)]
pub struct Faults(Mutex<VecDeque<CommitFault>>);

impl Faults {
    pub fn next(&self, fault: CommitFault) {
        self.0.lock().unwrap().push_back(fault);
    }
}

impl StoreChaos for Faults {
    fn commit(&self) -> CommitFault {
        self.0.lock().unwrap().pop_front().unwrap_or(CommitFault::None)
    }
}

pub struct World {
    pub objects: Arc<MemoryObjects>,
    pub keys: Arc<SwitchedKeys>,
    pub clock: Arc<SetClock>,
    pub log: ListLog,
    pub table: FakeContent,
    pub faults: Arc<Faults>,
    pub letters: FakeTable<Vec<DeadLetter>>,
    pub metrics: Arc<ContentMetrics>,
    pub ids: Arc<Counted>,
    next: AtomicI64,
}

pub struct Lookup(pub FakeContent);

#[async_trait]
impl EventLookup for Lookup {
    async fn event_ids_at(&self, source: Source, seqs: RangeInclusive<u64>) -> Result<Vec<(Seq, String)>, StoreError> {
        let rows = self.0.rows().into_iter().flat_map(|rows| rows.0);
        Ok(rows.filter(|row| row.source == source && seqs.contains(&row.seq.get())).map(|row| (row.seq, row.content_id)).collect())
    }

    fn may_forget(&self) -> bool {
        true
    }
}

pub fn window() -> EdgeWindow {
    EdgeWindow::new(Duration::from_secs(3600), Duration::from_secs(7 * 86_400))
}

pub fn context_of(record: &ContentRecord) -> TextContext {
    TextContext {
        tenant: record.tenant.parse().unwrap(),
        person: record.person.as_ref().map(|person| person.parse().unwrap()),
        request: record.request_id.parse().unwrap(),
        part: Part::ALL.into_iter().find(|part| part.as_str() == &*record.part).unwrap(),
        ordinal: u32::try_from(record.ordinal).unwrap(),
        purpose: record.purpose.parse().unwrap(),
        retention: record.retention_class.parse().unwrap(),
    }
}

impl World {
    pub async fn new() -> Self {
        let tenants = ["acme", "other"].map(|tenant| tenant.parse().unwrap());
        let (faults, clock) = (Arc::new(Faults::default()), Arc::new(SetClock::default()));
        clock.set(NOON);
        let world = Self {
            objects: Arc::default(),
            keys: Arc::new(SwitchedKeys::of(&tenants).unwrap()),
            clock,
            log: ListLog::default(),
            table: FakeTable::new(faults.clone()),
            letters: FakeTable::new(faults.clone()),
            faults,
            metrics: Arc::default(),
            ids: Arc::default(),
            next: AtomicI64::new(0),
        };
        world.edge().prepare(world.clock.now()).await.unwrap();
        world
    }

    pub fn edge(&self) -> EdgeKeys {
        EdgeKeys::new(self.objects.clone(), self.keys.clone(), window())
    }

    pub fn units(&self) -> UnitKeys {
        UnitKeys::new(self.objects.clone(), self.keys.clone(), self.clock.clone(), CacheLimits::default())
    }

    pub fn pseudonyms(&self) -> PseudonymKeys {
        PseudonymKeys::new(self.objects.clone(), self.keys.clone(), self.clock.clone(), CacheLimits::default())
    }

    /// A step as a new process makes it: it remembers nothing.
    pub fn step(&self) -> Arc<VaultStep> {
        self.step_with(Duration::ZERO)
    }

    pub fn step_with(&self, patience: Duration) -> Arc<VaultStep> {
        let parts = VaultParts {
            edge: self.edge(),
            units: Arc::new(self.units()),
            pseudonyms: Arc::new(self.pseudonyms()),
            claims: Claims::new(self.objects.clone()),
            parked: ParkedRecords::new(self.objects.clone()),
            tombstones: Tombstones::new(self.objects.clone()),
            holds: Holds::new(self.objects.clone()),
            redaction: RULES.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        Arc::new(VaultStep::new(parts, VaultStepConfig { patience, pause: Duration::from_millis(1) }))
    }

    pub fn ingest(&self) -> WorldIngest {
        self.ingest_over(&self.step())
    }

    pub fn ingest_over(&self, step: &Arc<VaultStep>) -> WorldIngest {
        self.ingest_asking(step, Arc::new(Lookup(self.table.clone())), Arc::default())
    }

    /// An ingest that asks this lake and tells this observer.
    pub fn ingest_asking(&self, step: &Arc<VaultStep>, lookup: Arc<dyn EventLookup>, observer: Arc<IngestMetrics>) -> WorldIngest {
        let mut log = self.log.clone();
        log.seek(LogPosition::START);
        let config = IngestConfig { flush_age: Duration::from_secs(2), read_wait: Duration::from_secs(1), ..IngestConfig::default() };
        Ingest::new(
            config,
            IngestParts {
                clock: Arc::new(self.log.clone()),
                logs: vec![log],
                decoder: ContentDecoder,
                events: VaultedContentStore::new(Arc::clone(step), self.table.clone()),
                dead_letters: self.letters.clone(),
                lookup,
                acknowledge: Box::new(|_: &str, _| ()),
                ids: self.ids.clone(),
                observer,
            },
        )
    }

    /// Turns until nothing is left to read.
    pub async fn settle(&self, ingest: &mut WorldIngest) -> Result<(), IngestError> {
        let stop = watch::channel(false).1;
        while ingest.turn(&stop).await? != Turn::Idle {}
        Ok(())
    }

    pub async fn run(&self) {
        self.settle(&mut self.ingest()).await.expect("nothing fails");
    }

    pub async fn unpark(&self) -> Result<Unparked, IngestError> {
        unpark(&self.step(), &self.table, &Lookup(self.table.clone()), self.ids.as_ref()).await
    }

    /// A record that a gateway would write now, with its text sealed.
    pub async fn sealed(&self, change: impl FnOnce(&mut ContentRecord)) -> ContentRecord {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let id = |kind: u128| Uuid::from_u128((kind << 64) | (u128::from(number.unsigned_abs()) + 1)).to_string();
        let now = self.clock.now();
        let mut record = ContentRecord {
            content_id: id(1).into(),
            request_id: id(2).into(),
            time: now,
            tenant: "acme".into(),
            person: Some("p_anna".into()),
            part: "prompt".into(),
            ordinal: 0,
            purpose: "quality-review".into(),
            retention_class: "short".into(),
            expires_on: i32::try_from(now.utc_day()).unwrap() + 30,
            capability: "support.answer".into(),
            data_class: "confidential".into(),
            handling_rule: "support@3".into(),
            redaction: "default".into(),
            bytes: i64::try_from(TEXT.len()).unwrap(),
            commitment: Octets::default(),
            sealed: None,
            claim: None,
        };
        change(&mut record);
        let keys = EdgeKeys::public_keys(self.objects.as_ref(), window(), now).await.unwrap();
        let sealer = SegmentSealer::begin(keys.current(now).unwrap(), window(), &mut OsEntropy).unwrap();
        let sealed = sealer.seal(&context_of(&record), &terms_of(&record), TEXT.as_bytes(), now).unwrap();
        record.commitment = Octets(sealed.commitment.as_bytes().to_vec());
        record.sealed = Some(Octets(sealed.bytes));
        record
    }

    /// The same, too large for the stream.
    pub async fn claimed(&self) -> ContentRecord {
        self.claimed_as(|_| ()).await
    }

    pub async fn claimed_as(&self, change: impl FnOnce(&mut ContentRecord)) -> ContentRecord {
        let mut record = self.sealed(change).await;
        let sealed = record.sealed.take().unwrap().0;
        let day = EdgeDay::of(self.clock.now());
        let claim = Claims::new(self.objects.clone()).put_edge(day, &record.content_id, sealed.into()).await.unwrap();
        record.claim = Some(claim.as_str().into());
        record
    }

    pub fn end(record: &ContentRecord) -> ContentRecord {
        let content_id = Uuid::from_u128(u128::MAX - 7).to_string().into();
        ContentRecord { part: END_PART.into(), content_id, sealed: None, claim: None, commitment: Octets::default(), ..record.clone() }
    }

    /// Puts records behind those that the log has.
    pub fn log(&self, records: impl IntoIterator<Item = ContentRecord>) {
        for record in records {
            self.log_bytes(record.encode().unwrap());
        }
    }

    pub fn log_bytes(&self, payload: Vec<u8>) {
        let place = self.log.len();
        let source = Source { journal: JournalId::from_uuid(Uuid::from_u128(7)), epoch: 1 };
        let position = LogPosition::new(place);
        self.log.push(LogRecord { position, source, seq: Seq::new(place + 1), payload: payload.into(), damaged: false });
    }

    /// Puts a record once more behind those that the log has, as a gateway does that did not hear of its first delivery.
    pub fn log_again(&self, position: usize) {
        let first = self.log.records()[position].clone();
        self.log.push(LogRecord { position: LogPosition::new(self.log.len()), ..first });
    }

    /// The texts of the log, as a reader has them that read up to a position.
    pub fn texts_up_to(&self, end: usize) -> SealedTexts {
        ContentDecoder.decode("journal/test", &self.log.records()[..end]).0
    }

    pub fn store_over(&self, step: &Arc<VaultStep>) -> VaultedContentStore<FakeContent> {
        VaultedContentStore::new(Arc::clone(step), self.table.clone())
    }

    /// Places a hold, as the document that stands in the vault.
    pub async fn hold(&self, scope: &str) {
        let hold = format!(r#"{{"version":1,"id":"h","scope":{scope},"reason":"case 7","placed_at":{NOON},"released":null}}"#);
        self.objects.put(&"holds/h.json".parse().unwrap(), hold.into()).await.unwrap();
    }

    pub fn rows(&self) -> Vec<ContentRow> {
        let mut rows: Vec<ContentRow> = self.table.rows().into_iter().flat_map(|rows| rows.0).collect();
        rows.sort_by_key(|row| row.position);
        rows
    }

    pub fn states(&self) -> Vec<(TextState, Option<String>)> {
        self.rows().into_iter().map(|row| (row.state, row.reason)).collect()
    }

    pub async fn forget(&self, tenant: &str, person: Option<&str>, up_to: i64) {
        let person = person.map(|person| person.parse().unwrap());
        let tombstone = Tombstone::new(tenant.parse().unwrap(), person, Timestamp::from_micros(up_to));
        Tombstones::new(self.objects.clone()).put(&tombstone).await.unwrap();
    }

    /// The unit and key of a row.
    pub fn unit_of(row: &ContentRow) -> (ShredUnit, UnitKeyId) {
        let hex = row.unit_key.as_ref().unwrap();
        let bytes: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let unit = ShredUnit {
            tenant: row.tenant.parse().unwrap(),
            person: row.person.as_ref().map(|person| person.parse().unwrap()),
            purpose: row.purpose.parse().unwrap(),
            month: Month::from_number(row.unit_month.unwrap()),
        };
        (unit, UnitKeyId::from_bytes(bytes.try_into().unwrap()))
    }

    /// What a row says to who may open it: the full and the redacted text.
    pub async fn opened(&self, row: &ContentRow, record: &ContentRecord) -> (String, String) {
        let (unit, id) = Self::unit_of(row);
        let key = self.units().for_opening(&unit, id).await.unwrap();
        let claims = Claims::new(self.objects.clone());
        let (full, redacted) = match &row.claim {
            None => (row.sealed.clone().unwrap(), row.redacted_sealed.clone().unwrap()),
            Some(claim) => {
                let redacted = claims.get(&format!("{claim}.redacted")).await.unwrap().unwrap();
                (claims.get(claim).await.unwrap().unwrap().to_vec(), redacted.to_vec())
            }
        };
        let context = context_of(record);
        let shown = |bytes: &[u8], schema| {
            let opened = key.open(bytes, schema, &context).unwrap();
            String::from_utf8(opened.text().expose().to_vec()).unwrap()
        };
        assert!(key.open(&redacted, ContentSchema::FULL_TEXT, &context).is_err(), "one is not taken for the other");
        (shown(&full, ContentSchema::FULL_TEXT), shown(&redacted, ContentSchema::REDACTED_TEXT))
    }

    pub fn parked(&self) -> Vec<String> {
        self.objects.names().into_iter().filter(|name| name.starts_with("parked/")).collect()
    }

    pub fn claims(&self, kind: &str) -> usize {
        self.objects.names().iter().filter(|name| name.starts_with(&format!("claims/{kind}/"))).count()
    }

    /// Each text of the log is one row and no other is.
    pub fn assert_each_once(&self, expected: u64) {
        let positions: Vec<u64> = self.rows().iter().map(|row| row.position.get()).collect();
        assert_eq!(positions, (0..expected).collect::<Vec<_>>());
    }
}
