//! Random operations, faults and crashes against a model: no acknowledged record is lost, order is kept, positions never change
//! their record, no debt is forgotten (DESIGN laws 1 and 2).

use std::{collections::BTreeSet, io::ErrorKind};

use custody_log::{JournalCore, RequestKey, UnitKind};
use custody_testkit::disk::{DiskPoint, SimDisk};
use custody_types::LogPosition;
use proptest::prelude::*;

use crate::world::*;

#[derive(Debug, Clone)]
enum Step {
    Plain(usize),
    Open(u8),
    Close(u8),
    Commit,
    Floor,
    Spare,
    FailSync(u64),
    FailCreate,
    PowerOff(u64),
    Crash(u64),
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3000usize).prop_map(Step::Plain),
        4 => (0..8u8).prop_map(Step::Open),
        4 => (0..8u8).prop_map(Step::Close),
        8 => Just(Step::Commit),
        1 => Just(Step::Floor),
        3 => Just(Step::Spare),
        1 => (0..3u64).prop_map(Step::FailSync),
        1 => Just(Step::FailCreate),
        1 => (0..12u64).prop_map(Step::PowerOff),
        2 => any::<u64>().prop_map(Step::Crash),
        1 => Just(Step::Kill),
    ]
}

/// Everything that was ever enqueued under its position; what was acknowledged must stay.
struct Model {
    disk: SimDisk,
    core: JournalCore,
    records: Vec<Vec<u8>>,
    acknowledged: usize,
    open: BTreeSet<RequestKey>,
    open_acknowledged: BTreeSet<RequestKey>,
    /// Requests whose first or last record is enqueued: (end, key, opens).
    unsettled: Vec<(usize, RequestKey, bool)>,
    counter: u32,
}

impl Model {
    fn new() -> Self {
        let disk = SimDisk::new();
        let (core, _) = open(&disk);
        let (open, open_acknowledged) = (BTreeSet::new(), BTreeSet::new());
        Self { disk, core, records: vec![], acknowledged: 0, open, open_acknowledged, unsettled: vec![], counter: 0 }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Plain(bytes) => self.enqueue(UnitKind::Plain, *bytes),
            Step::Open(number) if !self.open.contains(&key(*number)) => self.enqueue(UnitKind::Open(key(*number)), 100),
            Step::Close(number) if self.open.contains(&key(*number)) => self.enqueue(UnitKind::Close(key(*number)), 900),
            Step::Open(_) | Step::Close(_) => {}
            Step::Commit => self.commit(),
            Step::Floor => self.core.set_floor("lake", LogPosition::new(self.acknowledged as u64)),
            Step::Spare => drop(self.core.prepare_spare()),
            Step::FailSync(skip) => self.disk.fail_later(DiskPoint::Sync, ErrorKind::Other, *skip, 1),
            Step::FailCreate => self.disk.fail(DiskPoint::Create, ErrorKind::StorageFull, 1),
            Step::PowerOff(operations) => self.disk.power_off_after(*operations),
            Step::Crash(seed) => self.restart(|disk| disk.crash(*seed)),
            Step::Kill => self.restart(SimDisk::kill),
        }
    }

    fn enqueue(&mut self, kind: UnitKind, bytes: usize) {
        self.counter += 1;
        let mut payload = self.counter.to_le_bytes().to_vec();
        payload.resize(4 + bytes, self.counter as u8);
        let unit = custody_log::Unit { kind, records: vec![payload.clone().into()] };
        let Ok(ticket) = self.core.enqueue(unit) else { return };
        self.records.push(payload);
        assert_eq!(ticket.appended.end.get() as usize, self.records.len());
        match kind {
            UnitKind::Open(key) => self.note(key, true),
            UnitKind::Close(key) => self.note(key, false),
            _ => {}
        }
    }

    fn note(&mut self, key: RequestKey, opens: bool) {
        if opens {
            self.open.insert(key)
        } else {
            self.open.remove(&key)
        };
        self.unsettled.push((self.records.len(), key, opens));
    }

    fn commit(&mut self) {
        if let Ok(report) = self.core.commit() {
            self.acknowledged = report.durable.get() as usize;
            let acknowledged = self.acknowledged;
            for (_, key, opens) in self.unsettled.extract_if(.., |(end, ..)| *end <= acknowledged) {
                if opens {
                    self.open_acknowledged.insert(key)
                } else {
                    self.open_acknowledged.remove(&key)
                };
            }
        }
    }

    fn restart(&mut self, stop: impl FnOnce(&SimDisk)) {
        self.disk.heal();
        stop(&self.disk);
        let (core, report) = open(&self.disk);
        self.core = core;
        let end = report.end.get() as usize;
        assert!(end >= self.acknowledged && end <= self.records.len(), "acknowledged {} end {end}", self.acknowledged);
        assert!(report.damaged.is_empty(), "{report:?}");
        self.records.truncate(end);
        self.acknowledged = end;
        self.check_open(&report.open_requests.iter().map(|request| request.key).collect(), end);
        self.check_records();
    }

    /// Recovery finds exactly the requests whose records survived.
    fn check_open(&mut self, found: &BTreeSet<RequestKey>, end: usize) {
        for (_, key, opens) in self.unsettled.drain(..).filter(|(at, ..)| *at <= end) {
            if opens {
                self.open_acknowledged.insert(key)
            } else {
                self.open_acknowledged.remove(&key)
            };
        }
        assert_eq!(*found, self.open_acknowledged);
        self.open = found.clone();
    }

    fn check_records(&self) {
        let first = self.core.stats().first;
        let frames = read_all(&mut self.core.reader(first));
        assert_gapless(&frames);
        let expected = &self.records[first.get() as usize..self.acknowledged];
        assert_eq!(frames.len(), expected.len());
        for (frame, expected) in frames.iter().zip(expected) {
            assert_eq!(frame.record.payload, expected, "position {}", frame.record.position);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_and_no_debt_is_forgotten(steps in prop::collection::vec(step(), 1..120)) {
        let mut model = Model::new();
        for step in &steps {
            model.run(step);
        }
        model.restart(|disk| disk.crash(1));
    }
}
