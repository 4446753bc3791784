//! The scheduler: one step after another, chosen by the seed, then calm until everything has settled.
//!
//! ```text
//!  gateway ──enqueue──▶ JournalCore ──commit──▶ SimDisk          a step each: request, retry, outcome, note, commit, spare
//!                           │ SegmentReader
//!                           ├──────────────▶ Ingest (polled)     a step: one poll; old processes may live on as zombies
//!                           └─▶ shipper ─▶ broker ─▶ Ingest
//!                                              │
//!                                           FakeTable            a step each: a late commit arrives, somebody compacts
//!  a step each: power cut, kill, death of ingest alone, disk faults
//! ```

use std::{
    io::ErrorKind,
    sync::{Arc, atomic::Ordering},
};

use custody_ingest::ledger;
use custody_log::SegmentReader;
use custody_testkit::disk::DiskPoint;
use custody_types::LogPosition;

use crate::{
    coverage::Coverage,
    facts::{Codec, Role},
    gateway::{CONSUMER, Gateway},
    lane::Lane,
    oracle,
    plant::Plant,
    ports::Origin,
    shipper::Shipper,
};

/// Polls after which a run that has not settled never will.
const PATIENCE: usize = 30_000;
const MOST_OPEN: usize = 6;

pub struct World<C: Codec> {
    plant: Plant<C::Rows>,
    codec: C,
    gateway: Option<Gateway>,
    shipper: Option<Shipper>,
    /// The last is the one that should run; those before it are zombies.
    lanes: Vec<Lane>,
}

/// Runs one seed to its end and asks the oracle.
pub fn run<C: Codec>(seed: u64, codec: C, coverage: &Coverage) -> Result<(), String> {
    let plant = Plant::new(seed, coverage);
    let steps = 200 + plant.dice.below(600);
    let mut world = World { plant, codec, gateway: None, shipper: None, lanes: Vec::new() };
    for _ in 0..steps {
        world.step();
    }
    let settled = world.settle();
    oracle::check(&world.plant).and(settled)
}

impl<C: Codec> World<C> {
    fn step(&mut self) {
        self.hand_over_floors();
        match self.plant.dice.below(1000) {
            0..120 => self.begin_request(),
            120..260 => self.advance_request(),
            260..300 => self.note(),
            300..400 => self.commit(),
            400..430 => self.prepare_spare(),
            430..500 => self.ship(),
            500..940 => self.poll_ingest(),
            940..955 => self.plant.events.arrive(),
            955..965 => self.plant.letters.arrive(),
            965..970 => self.plant.events.maintain(),
            970..985 => self.break_disk(),
            985..990 => self.kill_ingest(),
            990..993 => self.leave_zombie(),
            _ => self.stop_machine(),
        }
    }

    fn begin_request(&mut self) {
        self.boot();
        let Some(gateway) = &mut self.gateway else { return };
        if gateway.open_requests() < MOST_OPEN {
            gateway.begin(&mut self.plant.book, &mut self.codec);
        }
    }

    fn advance_request(&mut self) {
        let Some(gateway) = &mut self.gateway else { return };
        let index = self.plant.dice.below(MOST_OPEN as u64) as usize;
        if self.plant.dice.per_mille(250) {
            gateway.retry(index, &mut self.plant.book, &mut self.codec);
        } else {
            gateway.close(index, &mut self.plant.book, &mut self.codec);
        }
    }

    fn note(&mut self) {
        let role = if self.plant.dice.per_mille(400) { Role::Poison } else { Role::Control };
        let Some(gateway) = &mut self.gateway else { return };
        gateway.note(role, &mut self.plant.book, &mut self.codec);
    }

    fn commit(&mut self) {
        let Some(gateway) = &mut self.gateway else { return };
        if gateway.commit(&mut self.plant.book).is_err() {
            self.plant.coverage.count("journal failed");
            self.kill_process();
        }
    }

    fn prepare_spare(&mut self) {
        if let Some(gateway) = &mut self.gateway {
            let _ = gateway.core.prepare_spare();
        }
    }

    fn ship(&mut self) {
        let (Some(broker), Some(gateway)) = (self.plant.broker.clone(), &mut self.gateway) else { return };
        if self.shipper.is_none() {
            self.shipper = Shipper::start(gateway.core.reader(LogPosition::START)).ok();
        }
        let Some(shipper) = &mut self.shipper else { return };
        if let Some(floor) = shipper.step(&broker, &self.plant.weather) {
            gateway.core.set_floor(CONSUMER, floor);
        }
    }

    fn poll_ingest(&mut self) {
        if self.lanes.is_empty() && !self.start_ingest() {
            return;
        }
        let index = self.plant.dice.below(self.lanes.len() as u64) as usize;
        self.lanes[index].poll();
        if self.lanes[index].fuse.died_at().is_some() {
            self.bury(index);
        }
    }

    /// Its process died at a named point. In one process with the gateway, that dies too.
    fn bury(&mut self, index: usize) {
        let was_current = index + 1 == self.lanes.len();
        self.lanes.remove(index);
        if was_current && self.plant.broker.is_none() && self.plant.dice.per_mille(500) {
            self.stop_machine();
        }
    }

    fn start_ingest(&mut self) -> bool {
        let origin = match (&self.plant.broker, &self.gateway) {
            (Some(broker), _) => Origin::Broker(broker.clone()),
            (None, Some(gateway)) if self.plant.dice.per_mille(1000) => Origin::Journal(gateway.core.reader(LogPosition::START)),
            (None, Some(_)) => match SegmentReader::follow(Arc::new(self.plant.disk.clone())) {
                Ok(reader) => Origin::Journal(reader),
                Err(_) => return false,
            },
            (None, None) => return false,
        };
        self.lanes.push(Lane::start(origin, &self.plant, &self.codec));
        self.plant.coverage.count("ingest started");
        true
    }

    fn hand_over_floors(&mut self) {
        let floors: Vec<LogPosition> = self.lanes.iter().filter_map(Lane::take_floor).collect();
        let (None, Some(gateway)) = (&self.plant.broker, &mut self.gateway) else { return };
        for floor in floors {
            let before = gateway.core.stats().first;
            gateway.core.set_floor(CONSUMER, floor);
            self.plant.coverage.add("truncations", u64::from(gateway.core.stats().first > before));
        }
    }

    fn break_disk(&mut self) {
        let (dice, weather) = (&self.plant.dice, &self.plant.weather);
        let point = dice.pick(&[DiskPoint::Write, DiskPoint::Sync, DiskPoint::Sync, DiskPoint::Create, DiskPoint::Rename, DiskPoint::Read]);
        let kind = dice.pick(&[ErrorKind::Other, ErrorKind::StorageFull]);
        if weather.storms > 0 {
            self.plant.coverage.count(&format!("fault: disk {point:?}"));
            self.plant.disk.fail_later(point, kind, dice.below(3), 1 + dice.below(2));
        }
    }

    fn kill_ingest(&mut self) {
        if self.lanes.pop().is_some() {
            self.plant.coverage.count("ingest died: anywhere");
        }
    }

    /// The old ingest is thought dead and is not; a new one takes over.
    fn leave_zombie(&mut self) {
        if self.lanes.len() < 3 && !self.lanes.is_empty() && self.start_ingest() {
            self.plant.coverage.count("zombies");
            self.plant.weather.note_overlap();
        }
    }

    /// The whole machine stops, or the one process; before, during or after a commit.
    fn stop_machine(&mut self) {
        let dice = self.plant.dice.clone();
        if dice.per_mille(400) {
            self.plant.coverage.count("machine died: in append or fsync");
            self.begin_request();
            self.advance_request();
            self.plant.disk.power_off_after(dice.below(4));
            self.commit();
        }
        if dice.per_mille(600) { self.power_cut() } else { self.kill_process() }
    }

    fn power_cut(&mut self) {
        self.plant.coverage.count("machine died: power cut");
        self.forget_processes();
        self.plant.disk.crash(self.plant.dice.next());
    }

    fn kill_process(&mut self) {
        self.plant.coverage.count("machine died: kill");
        self.forget_processes();
        self.plant.disk.kill();
    }

    /// Everything volatile is gone. Ingests of a broker may live on another machine.
    fn forget_processes(&mut self) {
        self.gateway = None;
        self.shipper = None;
        if self.plant.broker.is_none() || self.plant.dice.per_mille(500) {
            self.lanes.clear();
        }
    }

    fn boot(&mut self) {
        if self.gateway.is_some() {
            return;
        }
        if self.plant.dice.per_mille(100) {
            self.plant.coverage.count("machine died: in restart");
            self.plant.disk.power_off_after(self.plant.dice.below(12));
        }
        match Gateway::boot(&self.plant.disk, &self.plant.coverage) {
            Ok(gateway) => self.gateway = Some(gateway),
            Err(_) => self.power_cut(),
        }
    }

    /// Faults end, everything is restarted once more, and what was begun is finished.
    fn settle(&mut self) -> Result<(), String> {
        self.plant.weather.calm.store(true, Ordering::Relaxed);
        if self.plant.dice.per_mille(700) {
            self.power_cut();
        }
        self.plant.disk.heal();
        self.plant.disk.kill();
        self.forget_processes();
        let gateway = Gateway::boot(&self.plant.disk, &self.plant.coverage);
        self.gateway = Some(gateway.map_err(|error| format!("[recovery] the journal does not open: {error:?}"))?);
        for _ in 0..PATIENCE {
            self.finish_requests()?;
            self.ship();
            self.hand_over_floors();
            if !self.lanes.is_empty() || self.start_ingest() {
                self.lanes.iter_mut().for_each(Lane::poll);
            }
            self.plant.events.arrive();
            self.plant.letters.arrive();
            if self.is_settled() {
                return Ok(());
            }
        }
        Err(format!("[settle] not everything is stored after {PATIENCE} rounds: {:?}", self.plant.events.state()))
    }

    fn finish_requests(&mut self) -> Result<(), String> {
        self.prepare_spare();
        let Some(gateway) = &mut self.gateway else { return Ok(()) };
        for index in 0..gateway.open_requests() {
            gateway.close(index, &mut self.plant.book, &mut self.codec);
        }
        gateway.commit(&mut self.plant.book).map_err(|error| format!("[recovery] the journal takes no outcome: {error:?}"))
    }

    fn is_settled(&self) -> bool {
        let Some(gateway) = &self.gateway else { return false };
        let (partition, end) = match &self.plant.broker {
            Some(broker) if self.shipper.as_ref().is_some_and(|shipper| shipper.next() == gateway.core.durable()) => {
                ("custody.events.v1/0".into(), broker.end())
            }
            Some(_) => return false,
            None => (format!("journal/{}", gateway.core.id()), gateway.core.durable()),
        };
        let stored = self.plant.events.state().transactions.get(&ledger::position_id(&partition)).copied();
        gateway.open_requests() == 0 && stored.unwrap_or(0) == ledger::version_of(end)
    }
}
