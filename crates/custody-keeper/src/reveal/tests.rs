//! A world of fakes: each port writes what it was asked into one list, so that orders can be read off it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use custody_event::{Access, Envelope};
use custody_policy::{PolicySet, Principal, PrincipalFacts, PrincipalKind, SourceFile};
use custody_seal::{
    OpenedText, Part, TextContext,
    edge::{EdgeOpener, EdgePrivateKey, EdgeTerms, EdgeWindow, SegmentSealer},
    rest::{Month, UnitKeyId},
};
use custody_types::{Clock, DataClass, Environment, EventId, FaultOwner, IdSource, RequestId, Retry, SensitiveText, TenantId, Timestamp};
use custody_vault::OsEntropy;

use super::*;

mod approvals;
mod decisions;
mod order;
mod over_the_vault;

/// 2026-11-21T12:00:00Z.
const NOON: i64 = 1_795_262_400_000_000;
const TODAY: i64 = NOON / 86_400_000_000;
const REQUEST: &str = "019a0000-0000-7000-8000-000000000002";
const TEXT: &str = "My parcel is late";

/// Who may see what in this world: reviewers of Acme alone what redaction leaves, seniors the full text with a second person.
const POLICIES: &str = r#"
@id("redacted") permit (principal in Group::"reviewers", action == Action::"RevealContent", resource) when { context.redacted };
@id("full") permit (principal in Group::"seniors", action == Action::"RevealContent", resource)
  when { context.secondPerson && context.reasonGiven };
@id("wide") permit (principal in Group::"outsiders", action == Action::"RevealContent", resource);
@id("never") forbid (principal in Group::"leavers", action == Action::"RevealContent", resource);
"#;

#[derive(Default)]
struct World {
    calls: Mutex<Vec<String>>,
    events: Mutex<Vec<(Envelope, Access)>>,
    texts: Mutex<Vec<KeptText>>,
    papers: Mutex<BTreeMap<String, Vec<u8>>>,
    forgotten: Mutex<BTreeSet<String>>,
    held: Mutex<BTreeSet<String>>,
    closed: Mutex<BTreeMap<String, &'static str>>,
    rules: Mutex<BTreeMap<String, Terms>>,
    events_left: Mutex<Option<usize>>,
    now: AtomicI64,
    last_id: AtomicU64,
}

struct Rules {
    world: Arc<World>,
    policies: PolicySet,
    environment: Environment,
}

impl World {
    fn new() -> Arc<Self> {
        let world = Self { now: AtomicI64::new(NOON), ..Self::default() };
        world.rule(&["reviewers", "seniors", "leavers"], false, 100);
        world.texts.lock().unwrap().push(kept(1, Part::Prompt));
        Arc::new(world)
    }

    fn rule(&self, groups: &[&str], second_person: bool, per_hour: u32) {
        let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
        self.rules.lock().unwrap().insert("support".to_owned(), Terms { groups, second_person, per_hour });
    }

    fn call(&self, what: impl Into<String>) {
        self.calls.lock().unwrap().push(what.into());
    }

    fn desk(self: &Arc<Self>) -> RevealDesk {
        let schema = include_str!("../../../../examples/workspace/policies/schema.cedarschema");
        let schema = SourceFile { name: "schema", text: schema };
        let policies = PolicySet::load(schema, &[SourceFile { name: "test.cedar", text: POLICIES }]).unwrap();
        let governance = Rules { world: Arc::clone(self), policies, environment: "test".parse().unwrap() };
        RevealDesk::new(DeskParts {
            governance: Arc::new(governance),
            texts: Arc::clone(self) as Arc<dyn Texts>,
            papers: Arc::clone(self) as Arc<dyn Papers>,
            evidence: Arc::clone(self) as Arc<dyn Evidence>,
            redactor: custody_redact::standard().unwrap(),
            envelope: Envelope { producer: "test".into(), ..Envelope::default() },
            clock: Arc::clone(self) as Arc<dyn Clock>,
            ids: Arc::clone(self) as Arc<dyn IdSource>,
        })
    }

    fn pass(&self, hours: i64) {
        self.now.fetch_add(hours * 3_600_000_000, Ordering::SeqCst);
    }

    /// Decision and code of each event so far.
    fn told(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let line = |(_, access): &(Envelope, Access)| {
            let code = access.code.as_deref().map_or_else(String::new, |code| format!(" {code}"));
            format!("{} {}{code}", access.action, access.decision)
        };
        events.iter().map(line).collect()
    }

    fn last_event(&self) -> (Envelope, Access) {
        self.events.lock().unwrap().last().unwrap().clone()
    }
}

fn kept(number: u128, part: Part) -> KeptText {
    let context = TextContext {
        tenant: "acme".parse().unwrap(),
        person: Some("p-1".parse().unwrap()),
        request: REQUEST.parse().unwrap(),
        part,
        ordinal: 0,
        purpose: "quality".parse().unwrap(),
        retention: "short".parse().unwrap(),
    };
    KeptText {
        content_id: uuid::Uuid::from_u128(number).to_string().into(),
        context,
        made_at: Timestamp::from_micros(NOON - 1),
        expires_on: TODAY + 30,
        capability: "support.answer".parse().unwrap(),
        data_class: DataClass::Confidential,
        handling_rule: "support@3".into(),
        commitment: vec![0; 32],
        state: State::Kept,
        unit_key: Some(UnitKeyId::from_bytes([7; 16])),
        unit_month: Some(Month::of(Timestamp::from_micros(NOON))),
        sealed: SealedForms::default(),
    }
}

/// A text as it comes out of the edge's seal, which is the only way to have one.
fn opened(context: &TextContext, text: &str) -> OpenedText {
    let window = EdgeWindow::new(std::time::Duration::from_secs(3_600), std::time::Duration::from_secs(86_400));
    let now = Timestamp::from_micros(NOON);
    let day = custody_seal::edge::EdgeDay::of(now);
    let private = EdgePrivateKey::generate(day, &mut OsEntropy).unwrap();
    let sealer = SegmentSealer::begin(private.public(), window, &mut OsEntropy).unwrap();
    let sealed = sealer.seal(context, &EdgeTerms::default(), text.as_bytes(), now).unwrap();
    let mut opener = EdgeOpener::new();
    opener.hold(private);
    opener.open(&sealed.bytes, context, &EdgeTerms::default()).unwrap()
}

fn asker(tenant: &str, name: &str, kind: PrincipalKind, groups: &[&str]) -> Asker {
    let groups = groups.iter().map(|group| group.parse().unwrap()).collect();
    let facts = PrincipalFacts { tenant: tenant.parse().unwrap(), principal: name.parse().unwrap(), kind, groups };
    Asker { policy: Principal::new(&facts).unwrap(), facts, api_key_id: "k1".into() }
}

fn person(name: &str, groups: &[&str]) -> Asker {
    asker("acme", name, PrincipalKind::User, groups)
}

fn redacted() -> Reveal {
    Reveal {
        request: REQUEST.parse().unwrap(),
        part: None,
        form: Form::Redacted,
        reason: SensitiveText::new("complaint 4711"),
        approval: None,
    }
}

fn full() -> Reveal {
    Reveal { form: Form::Full, ..redacted() }
}

/// What an answer comes to: the code of a denial, `pending`, or how many texts with the codes of those that stay closed.
async fn ask(world: &Arc<World>, asker: &Asker, reveal: &Reveal) -> String {
    match world.desk().reveal(asker, reveal).await {
        Ok(RevealAnswer::Denied(denial)) => denial.code().to_owned(),
        Ok(RevealAnswer::Pending(_)) => "pending".to_owned(),
        Ok(RevealAnswer::Revealed { texts, closed }) => {
            assert!(texts.iter().all(|text| text.opened.text().expose() == TEXT.as_bytes()));
            closed.iter().fold(format!("{} shown", texts.len()), |line, text| format!("{line}, {}", text.code))
        }
        Err(error) => format!("failed {}", error.code),
    }
}

fn failure(code: &'static str) -> PortError {
    PortError { message: "it failed".to_owned(), owner: FaultOwner::Operator, retry: Retry::Never, code }
}

impl Governance for Rules {
    fn policies(&self) -> &PolicySet {
        &self.policies
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }

    fn terms(&self, handling_rule: &str) -> Option<Terms> {
        self.world.rules.lock().unwrap().get(handling_rule.split('@').next()?).cloned()
    }
}

#[async_trait]
impl Texts for World {
    /// All texts of the request, whosever: the desk has to look for itself.
    async fn of_request(&self, _: &TenantId, request: RequestId) -> Result<Vec<KeptText>, PortError> {
        self.call("find");
        Ok(self.texts.lock().unwrap().iter().filter(|text| text.request() == request).cloned().collect())
    }

    async fn is_forgotten(&self, text: &KeptText) -> Result<bool, PortError> {
        Ok(self.forgotten.lock().unwrap().contains(&*text.content_id))
    }

    async fn is_held(&self, text: &KeptText) -> Result<bool, PortError> {
        Ok(self.held.lock().unwrap().contains(&*text.content_id))
    }

    async fn open(&self, _: &Permit, text: &KeptText, _: Form) -> Result<OpenedText, PortError> {
        self.call("open");
        match self.closed.lock().unwrap().get(&*text.content_id) {
            Some(code) => Err(failure(code)),
            None => Ok(opened(&text.context, TEXT)),
        }
    }
}

#[async_trait]
impl Papers for World {
    async fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<bool, PortError> {
        self.call(format!("put {}", name.split('/').next().unwrap_or_default()));
        let mut papers = self.papers.lock().unwrap();
        let is_new = !papers.contains_key(name);
        papers.entry(name.to_owned()).or_insert(bytes);
        Ok(is_new)
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.papers.lock().unwrap().get(name).cloned())
    }

    async fn delete(&self, name: &str) -> Result<(), PortError> {
        self.papers.lock().unwrap().remove(name);
        Ok(())
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, PortError> {
        let below = format!("{folder}/");
        Ok(self.papers.lock().unwrap().keys().filter(|name| name.starts_with(&below)).cloned().collect())
    }
}

#[async_trait]
impl Evidence for World {
    async fn record(&self, envelope: Envelope, access: Access) -> Result<(), PortError> {
        let mut left = self.events_left.lock().unwrap();
        match left.as_mut() {
            Some(0) => return Err(failure("journal_full")),
            Some(left) => *left -= 1,
            None => {}
        }
        self.call(format!("record {}", access.decision));
        self.events.lock().unwrap().push((envelope, access));
        Ok(())
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

impl IdSource for World {
    fn request_id(&self) -> RequestId {
        RequestId::from_uuid(*self.event_id().as_uuid())
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(uuid::Uuid::from_u128(1 << 100 | u128::from(self.last_id.fetch_add(1, Ordering::SeqCst))))
    }
}
