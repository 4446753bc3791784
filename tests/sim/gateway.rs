//! A model of the gateway's use of its journal: admit, record, close, append. What it waits for and what it then believes is the
//! gateway's; the journal under it is the product's.

use std::sync::Arc;

use custody_log::{AppendError, JournalConfig, JournalCore, OpenJournalError, Ticket, Unit, UnitKind};
use custody_testkit::disk::SimDisk;
use custody_types::{JournalId, LogPosition};
use uuid::Uuid;

use crate::{
    book::Book,
    coverage::Coverage,
    facts::{Codec, Fact, Role},
};

/// A segment holds a 4 KiB head and the frames; small, so that rolls and truncation come often.
const SEGMENT_BYTES: u64 = 8 << 10;
const OUTCOME: [Role; 4] = [Role::Invocation, Role::Validation, Role::Cost, Role::Outcome];

/// The journal's consumer; while it has stored nothing, nothing may be removed.
pub const CONSUMER: &str = "consumer";

/// One boot of the gateway.
pub struct Gateway {
    pub core: JournalCore,
    requests: Vec<InFlight>,
    waiting: Vec<Waiting>,
}

struct InFlight {
    request: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for its intent to be durable.
    Admitted,
    /// The model works on it.
    Calling,
    /// The outcome waits to be durable.
    Closing,
}

struct Waiting {
    end: LogPosition,
    ids: Vec<u64>,
    request: u64,
}

fn key(request: u64) -> [u8; 16] {
    *Uuid::from_u128(request.into()).as_bytes()
}

fn config(site: usize) -> JournalConfig {
    JournalConfig {
        segment_bytes: SEGMENT_BYTES,
        max_total_bytes: 6 * SEGMENT_BYTES,
        max_record_bytes: 1 << 10,
        outcome_reserve_bytes: 1 << 10,
        max_batch_bytes: 3 << 10,
        consumers: vec![CONSUMER.into()],
        ..JournalConfig::new(JournalId::from_uuid(Uuid::from_u128(0xC0FFEE + site as u128)))
    }
}

impl Gateway {
    /// Boots on what the disk holds. Requests that an earlier boot left open wait to be closed.
    pub fn boot(site: usize, disk: &SimDisk, coverage: &Coverage) -> Result<Self, OpenJournalError> {
        let (core, report) = JournalCore::open(config(site), Arc::new(disk.clone()))?;
        coverage.count("boots");
        coverage.add("requests closed by recovery", report.open_requests.len() as u64);
        coverage.add("torn tails", report.torn.iter().len() as u64);
        let left_open = |open: &custody_log::OpenRequestRecords| InFlight {
            request: Uuid::from_bytes(open.key).as_u128() as u64,
            stage: Stage::Calling,
        };
        let requests = report.open_requests.iter().map(left_open).collect();
        Ok(Self { core, requests, waiting: Vec::new() })
    }

    /// A request arrives and is admitted or, where the journal is full, refused.
    pub fn begin(&mut self, book: &mut Book, codec: &mut impl Codec) {
        let request = book.next_id();
        let facts = book.facts(request, &[Role::Request, Role::Prompt, Role::Route]);
        if self.enqueue(UnitKind::Open(key(request)), &facts, book, codec).is_ok() {
            self.requests.push(InFlight { request, stage: Stage::Admitted });
        }
    }

    /// A refusal, a change of configuration, or bytes that no decoder will read.
    pub fn note(&mut self, role: Role, book: &mut Book, codec: &mut impl Codec) {
        let facts = book.facts(0, &[role]);
        let _ = self.enqueue(UnitKind::Plain, &facts, book, codec);
    }

    /// The attempt failed; the next one's intent is made durable.
    pub fn retry(&mut self, index: usize, book: &mut Book, codec: &mut impl Codec) {
        let Some(request) = self.calling(index) else { return };
        let facts = book.facts(request, &[Role::Invocation, Role::Cost, Role::Route]);
        if self.enqueue(UnitKind::Within(key(request)), &facts, book, codec).is_ok() {
            self.set(request, Stage::Admitted);
        }
    }

    /// The answer is there; its outcome is made durable before it is released.
    pub fn close(&mut self, index: usize, book: &mut Book, codec: &mut impl Codec) {
        let Some(request) = self.calling(index) else { return };
        let facts = book.facts(request, &OUTCOME);
        match self.enqueue(UnitKind::Close(key(request)), &facts, book, codec) {
            Ok(_) => self.set(request, Stage::Closing),
            // A segment that failed took its reserved room with it; the request stays open until there is another.
            Err(AppendError::Full { .. }) if self.core.stats().poisoned > 0 => {}
            Err(AppendError::Failed) => {}
            Err(error) => book.violations.push(format!("the outcome of request {request} was refused: {error}")),
        }
    }

    /// One write and one sync. What it covers is acknowledged: models are called, answers are released.
    pub fn commit(&mut self, book: &mut Book) -> Result<(), AppendError> {
        let durable = self.core.commit()?.durable;
        let (done, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.end <= durable);
        self.waiting = waiting;
        let done: Vec<Waiting> = done;
        for Waiting { ids, request, .. } in done {
            book.acknowledged.extend(ids);
            self.requests.retain(|open| open.request != request || open.stage != Stage::Closing);
            self.set(request, Stage::Calling);
        }
        Ok(())
    }

    /// Requests between intent and outcome.
    pub fn open_requests(&self) -> usize {
        self.requests.len()
    }

    fn calling(&self, index: usize) -> Option<u64> {
        self.requests.get(index).filter(|open| open.stage == Stage::Calling).map(|open| open.request)
    }

    fn set(&mut self, request: u64, stage: Stage) {
        for open in self.requests.iter_mut().filter(|open| open.request == request) {
            open.stage = stage;
        }
    }

    fn enqueue(&mut self, kind: UnitKind, facts: &[Fact], book: &mut Book, codec: &mut impl Codec) -> Result<Ticket, AppendError> {
        let records = facts.iter().map(|fact| codec.encode(*fact)).collect();
        let answer = self.core.enqueue(Unit { kind, records });
        match &answer {
            Ok(ticket) => {
                let ids = book.write(facts);
                let request = facts.first().map_or(0, |fact| fact.request);
                self.waiting.push(Waiting { end: ticket.appended.end, ids, request });
            }
            Err(_) => book.refuse(facts),
        }
        answer
    }
}
