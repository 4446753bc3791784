//! A vault, a table, a key service and a journal in memory, that fail where they are told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custody_seal::{
    edge::{EdgeDay, EdgeWindow},
    rest::{Month, ShredUnit, UnitKeyId},
};
use custody_types::{Clock, EventId, FaultOwner, IdSource, PersonPseudonym, RequestId, Retry, TenantId, Timestamp};
use uuid::Uuid;

use super::{
    ContentTable, Evidence, FoundParked, HeldRows, KeptKey, NewEvent, PortError, Retired, RowCount, RowSelection, Scope, TextGroup,
    VaultStore, Which, WrappingKeys,
};
use crate::{
    hold::{Hold, HoldScope},
    retention::StreamRetention,
};

pub(crate) const DAY: i64 = 86_400_000_000;

/// A text in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) content_id: String,
    pub(crate) request: RequestId,
    pub(crate) tenant: TenantId,
    pub(crate) person: Option<PersonPseudonym>,
    pub(crate) made_at: Timestamp,
    pub(crate) expires_on: i32,
    pub(crate) key: UnitKeyId,
    pub(crate) has_claim: bool,
}

/// A parked text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) day: i32,
    pub(crate) tenant: TenantId,
    pub(crate) person: Option<PersonPseudonym>,
    pub(crate) made_at: Timestamp,
}

/// All that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub(crate) keys: Vec<KeptKey>,
    /// Tenants that have a key of pseudonyms.
    pub(crate) pseudonym_keys: BTreeSet<TenantId>,
    pub(crate) edge_days: BTreeSet<i32>,
    pub(crate) claims: BTreeSet<String>,
    pub(crate) parked: Vec<Parked>,
    pub(crate) tombstones: BTreeMap<(TenantId, Option<PersonPseudonym>), Timestamp>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) documents: BTreeMap<(String, String), Vec<u8>>,
    pub(crate) rows: Vec<Row>,
    /// Rows that files of older versions still hold.
    pub(crate) in_old_files: Vec<Row>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) retired: BTreeSet<TenantId>,
    /// Whether something stays under an older wrapping key.
    pub(crate) wrapping_key_stays: bool,
    /// Rows that ingest had staged when its keys went: one of these batches arrives behind each delete.
    pub(crate) on_their_way: Vec<Vec<Row>>,
}

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// Before it did anything.
    Before(u64),
    /// After it did all of it: its answer is lost.
    After(u64),
}

/// What others do right before a call.
type Meanwhile = (u64, Box<dyn FnOnce(&mut State) + Send>);

#[derive(Default)]
pub(crate) struct World {
    state: Mutex<State>,
    failing: Mutex<Option<Failing>>,
    meanwhile: Mutex<Option<Meanwhile>>,
    calls: AtomicU64,
}

impl World {
    pub(crate) fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), ..Self::default() })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn fail(&self, when: Option<Failing>) {
        self.calls.store(0, Ordering::SeqCst);
        *self.failing.lock().unwrap() = when;
    }

    /// Others do something right before a call.
    pub(crate) fn meanwhile(&self, call: u64, act: impl FnOnce(&mut State) + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some((self.calls.load(Ordering::SeqCst) + call, Box::new(act)));
    }

    /// Whether the call that others were to be ahead of came.
    pub(crate) fn others_acted(&self) -> bool {
        self.meanwhile.lock().unwrap().is_none()
    }

    /// Does something, or fails before or after it.
    fn call<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, PortError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let failing = *self.failing.lock().unwrap();
        if let Some((_, act)) = self.meanwhile.lock().unwrap().take_if(|(before, _)| *before == call) {
            act(&mut self.state());
        }
        let failed = || PortError::new("the store failed".into(), FaultOwner::Upstream, Retry::Never, "fake");
        if failing == Some(Failing::Before(call)) {
            return Err(failed());
        }
        let done = act(&mut self.state());
        if failing == Some(Failing::After(call)) { Err(failed()) } else { Ok(done) }
    }
}

fn means(rows: &RowSelection, row: &Row) -> bool {
    if rows.except.keeps(&row.tenant, row.person.as_ref(), &row.request) {
        return false;
    }
    match &rows.which {
        Which::Due { today } => row.expires_on <= *today,
        Which::Erased { scope, made_up_to, keys } => {
            scope.covers(&row.tenant, row.person.as_ref()) && (row.made_at <= *made_up_to || keys.contains(&row.key))
        }
    }
}

fn counted<'a>(rows: impl Iterator<Item = &'a Row>) -> RowCount {
    rows.fold(RowCount::default(), |sum, _| sum.plus(RowCount { rows: 1, bytes: 10 }))
}

#[async_trait]
impl VaultStore for World {
    async fn unit_keys(&self, tenant: Option<&TenantId>) -> Result<Vec<KeptKey>, PortError> {
        self.call(|state| state.keys.iter().filter(|key| tenant.is_none_or(|tenant| key.unit.tenant == *tenant)).cloned().collect())
    }

    async fn destroy_unit_key(&self, key: &KeptKey) -> Result<(), PortError> {
        self.call(|state| state.keys.retain(|kept| kept != key))
    }

    async fn has_pseudonym_key(&self, tenant: &TenantId) -> Result<bool, PortError> {
        self.call(|state| state.pseudonym_keys.contains(tenant))
    }

    async fn destroy_pseudonym_key(&self, tenant: &TenantId) -> Result<(), PortError> {
        self.call(|state| state.pseudonym_keys.retain(|kept| kept != tenant))
    }

    async fn edge_days(&self) -> Result<BTreeSet<EdgeDay>, PortError> {
        self.call(|state| state.edge_days.iter().map(|day| EdgeDay::from_number(*day)).collect())
    }

    async fn claims_due(&self, today: i32) -> Result<Vec<String>, PortError> {
        let is_due = |claim: &&String| claim.split('/').nth(2).is_some_and(|day| day.parse::<i32>().unwrap() <= today);
        self.call(|state| state.claims.iter().filter(is_due).cloned().collect())
    }

    async fn delete_claim(&self, claim: &str) -> Result<(), PortError> {
        self.call(|state| state.claims.retain(|kept| kept != claim))
    }

    async fn parked_days(&self) -> Result<BTreeMap<EdgeDay, u64>, PortError> {
        self.call(|state| {
            let mut days = BTreeMap::new();
            state.parked.iter().for_each(|parked| *days.entry(EdgeDay::from_number(parked.day)).or_default() += 1);
            days
        })
    }

    async fn parked(&self, scope: &Scope, made_up_to: Timestamp, held: &HeldRows, delete: bool) -> Result<FoundParked, PortError> {
        self.call(|state| {
            let is_meant = |text: &Parked| scope.covers(&text.tenant, text.person.as_ref()) && text.made_at <= made_up_to;
            let is_held = |text: &Parked| held.keeps(&text.tenant, text.person.as_ref(), &request(0));
            let meant: Vec<_> = state.parked.iter().filter(|text| is_meant(text)).collect();
            let found = FoundParked { texts: meant.len() as u64, held: meant.iter().filter(|text| is_held(text)).count() as u64 };
            if delete {
                state.parked.retain(|text| !is_meant(text) || is_held(text));
            }
            found
        })
    }

    async fn write_tombstone(&self, scope: &Scope, made_up_to: Timestamp) -> Result<(), PortError> {
        self.call(|state| state.tombstones.extend([((scope.tenant.clone(), scope.person.clone()), made_up_to)]))
    }

    async fn holds(&self) -> Result<Vec<Hold>, PortError> {
        self.call(|state| state.holds.clone())
    }

    async fn document(&self, kind: &'static str, id: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.call(|state| state.documents.get(&(kind.to_owned(), id.to_owned())).cloned())
    }

    async fn put_document(&self, kind: &'static str, id: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        self.call(|state| state.documents.extend([((kind.to_owned(), id.to_owned()), bytes)]))
    }

    async fn replace_document(&self, kind: &'static str, id: &str, was: Option<&[u8]>, bytes: Vec<u8>) -> Result<bool, PortError> {
        self.call(|state| {
            let name = (kind.to_owned(), id.to_owned());
            let is_as_it_was = state.documents.get(&name).map(Vec::as_slice) == was;
            if is_as_it_was {
                state.documents.insert(name, bytes);
            }
            is_as_it_was
        })
    }

    async fn documents(&self, kind: &'static str) -> Result<Vec<String>, PortError> {
        self.call(|state| state.documents.keys().filter(|(of, _)| of == kind).map(|(_, id)| id.clone()).collect())
    }
}

#[async_trait]
impl ContentTable for World {
    async fn inventory(&self) -> Result<Vec<TextGroup>, PortError> {
        self.call(|state| {
            let group = |row: &Row| TextGroup {
                tenant: row.tenant.clone(),
                person: row.person.clone(),
                purpose: "quality".parse().unwrap(),
                retention_class: "short".parse().unwrap(),
                expires_on: row.expires_on,
                key: Some(row.key),
                count: RowCount { rows: 1, bytes: 10 },
            };
            state.rows.iter().map(group).collect()
        })
    }

    async fn keys_of(&self, requests: &[RequestId]) -> Result<BTreeSet<UnitKeyId>, PortError> {
        self.call(|state| state.rows.iter().filter(|row| requests.contains(&row.request)).map(|row| row.key).collect())
    }

    async fn keys(&self, rows: &RowSelection) -> Result<BTreeSet<UnitKeyId>, PortError> {
        self.call(|state| state.rows.iter().filter(|row| means(rows, row)).map(|row| row.key).collect())
    }

    async fn count(&self, rows: &RowSelection) -> Result<RowCount, PortError> {
        self.call(|state| counted(state.rows.iter().filter(|row| means(rows, row))))
    }

    async fn claims(&self, rows: &RowSelection) -> Result<BTreeSet<String>, PortError> {
        self.call(|state| {
            let meant = state.rows.iter().filter(|row| row.has_claim && means(rows, row));
            meant.map(|row| claim(row.expires_on, &row.content_id)).collect()
        })
    }

    async fn delete(&self, rows: &RowSelection) -> Result<(), PortError> {
        self.call(|state| {
            let (gone, left) = std::mem::take(&mut state.rows).into_iter().partition(|row| means(rows, row));
            state.rows = left;
            state.in_old_files.extend::<Vec<Row>>(gone);
            if !state.on_their_way.is_empty() {
                state.rows.extend(state.on_their_way.remove(0));
            }
        })
    }

    async fn vacuum(&self) -> Result<(), PortError> {
        self.call(|state| state.in_old_files.clear())
    }
}

#[async_trait]
impl WrappingKeys for World {
    async fn retire(&self, tenant: &TenantId, left: usize) -> Result<Retired, PortError> {
        self.call(|state| {
            state.retired.insert(tenant.clone());
            Retired { did: vec![format!("wrapping key removed, {left} keys left")], all: !state.wrapping_key_stays }
        })
    }

    fn key_store_window(&self, retired: bool) -> String {
        if retired { "now" } else { "once the wrapping key is rotated" }.to_owned()
    }
}

#[async_trait]
impl Evidence for World {
    async fn record(&self, event: &NewEvent) -> Result<(), PortError> {
        self.call(|state| state.events.push(event.clone()))
    }

    async fn is_recorded(&self, event_id: &str) -> Result<bool, PortError> {
        self.call(|state| state.events.iter().any(|event| event.event_id == event_id))
    }
}

/// A clock that stands.
pub(crate) struct At(pub(crate) Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

/// Ids in order.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl IdSource for Counting {
    fn request_id(&self) -> RequestId {
        request(0)
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(Uuid::from_u64_pair(7, self.0.fetch_add(1, Ordering::SeqCst)))
    }
}

/// A stream that keeps a week, with the longest overlap.
pub(crate) fn a_week() -> StreamRetention {
    let (half_a_day, week) = (Duration::from_secs(12 * 3600), Duration::from_secs(7 * 24 * 3600));
    StreamRetention::new(EdgeWindow::new(half_a_day, week), week)
}

pub(crate) fn request(number: u64) -> RequestId {
    RequestId::from_uuid(Uuid::from_u64_pair(1, number))
}

pub(crate) fn claim(expires_on: i32, content_id: &str) -> String {
    format!("claims/rest/{expires_on}/{content_id}")
}

pub(crate) fn on(day: i32) -> Timestamp {
    Timestamp::from_micros(i64::from(day) * DAY + DAY / 2)
}

pub(crate) fn hold(id: &str, scope: HoldScope) -> Hold {
    Hold::new(id.to_owned(), scope, "a case".to_owned(), on(0))
}

pub(crate) fn key(number: u8, tenant: &str, person: Option<&str>, made_on: i32) -> KeptKey {
    let person = person.map(|person| person.parse().unwrap());
    let unit = ShredUnit { tenant: tenant.parse().unwrap(), person, purpose: "quality".parse().unwrap(), month: Month::of(on(made_on)) };
    KeptKey { id: UnitKeyId::from_bytes([number; 16]), unit }
}

/// A text under a key, made on a day and kept for some.
pub(crate) fn row(number: u64, key: &KeptKey, made_on: i32, days: i32) -> Row {
    Row {
        content_id: format!("text-{number}"),
        request: request(number),
        tenant: key.unit.tenant.clone(),
        person: key.unit.person.clone(),
        made_at: on(made_on),
        expires_on: made_on + days,
        key: key.id,
        has_claim: false,
    }
}
