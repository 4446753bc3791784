//! The scheduler: one step after another, chosen by the seed, then calm until everything has settled.
//!
//! ```text
//!  gateway ──enqueue──▶ JournalCore ──commit──▶ SimDisk          a step each: request, retry, outcome, note, commit, spare
//!                           │ SegmentReader
//!                           ├──────────────▶ Ingest (polled)     a step: one poll; old processes may live on as zombies
//!                           └─▶ shipper ─▶ broker ─▶ Ingests     one to three sites ship; one to three ingests share the partitions
//!                                              │
//!                                           FakeTable            a step each: a late commit arrives, somebody compacts
//!  a step each: power cut, kill, death of an ingest alone, disk faults, rebalance, partitions added, a late batch arrives
//! ```

use std::{io::ErrorKind, sync::atomic::Ordering};

use custody_ingest::ledger;
use custody_testkit::disk::DiskPoint;
use custody_types::LogPosition;

use crate::{
    broker::Broker,
    coverage::Coverage,
    facts::{Codec, Role},
    gateway::CONSUMER,
    lane::Lane,
    oracle,
    plant::Plant,
    ports::Origin,
    site::Site,
};

/// Polls after which a run that has not settled never will.
const PATIENCE: usize = 30_000;
const MOST_OPEN: usize = 6;
const MOST_ZOMBIES: usize = 3;

pub struct World<C: Codec> {
    plant: Plant<C::Rows>,
    codec: C,
    /// More than one only where there is a broker.
    sites: Vec<Site>,
    lanes: Vec<Lane>,
}

/// Runs one seed to its end and asks the oracle.
pub fn run<C: Codec>(seed: u64, codec: C, coverage: &Coverage) -> Result<(), String> {
    let plant = Plant::new(seed, coverage);
    let steps = 200 + plant.dice.below(600);
    let sites = if plant.broker.is_some() { 1 + plant.dice.below(3) } else { 1 };
    let sites = (0..sites as usize).map(|number| Site::new(number, &plant)).collect();
    let mut world = World { plant, codec, sites, lanes: Vec::new() };
    for _ in 0..steps {
        world.step();
    }
    let settled = world.settle();
    oracle::check(&world.plant).and(settled)
}

impl<C: Codec> World<C> {
    fn step(&mut self) {
        self.hand_over_floors();
        let site = self.plant.dice.below(self.sites.len() as u64) as usize;
        match self.plant.dice.below(1000) {
            0..120 => self.begin_request(site),
            120..260 => self.advance_request(site),
            260..300 => self.note(site),
            300..400 => self.commit(site),
            400..430 => self.prepare_spare(site),
            430..500 => self.sites[site].ship(&self.plant),
            500..935 => self.poll_ingest(),
            935..940 => self.disturb_broker(),
            940..955 => self.plant.events.arrive(),
            955..965 => self.plant.letters.arrive(),
            965..970 => self.plant.events.maintain(),
            970..985 => self.break_disk(site),
            985..990 => self.kill_ingest(),
            990..993 => self.leave_zombie(),
            _ => self.stop_machine(site),
        }
    }

    fn begin_request(&mut self, site: usize) {
        self.boot(site);
        let Some(gateway) = &mut self.sites[site].gateway else { return };
        if gateway.open_requests() < MOST_OPEN {
            gateway.begin(&mut self.plant.book, &mut self.codec);
        }
    }

    fn advance_request(&mut self, site: usize) {
        let Some(gateway) = &mut self.sites[site].gateway else { return };
        let index = self.plant.dice.below(MOST_OPEN as u64) as usize;
        if self.plant.dice.per_mille(250) {
            gateway.retry(index, &mut self.plant.book, &mut self.codec);
        } else {
            gateway.close(index, &mut self.plant.book, &mut self.codec);
        }
    }

    fn note(&mut self, site: usize) {
        let role = if self.plant.dice.per_mille(400) { Role::Poison } else { Role::Control };
        let Some(gateway) = &mut self.sites[site].gateway else { return };
        gateway.note(role, &mut self.plant.book, &mut self.codec);
    }

    fn commit(&mut self, site: usize) {
        let Some(gateway) = &mut self.sites[site].gateway else { return };
        if gateway.commit(&mut self.plant.book).is_err() {
            self.plant.coverage.count("journal failed");
            self.kill_process(site);
        }
    }

    fn prepare_spare(&mut self, site: usize) {
        if let Some(gateway) = &mut self.sites[site].gateway {
            let _ = gateway.core.prepare_spare();
        }
    }

    fn poll_ingest(&mut self) {
        let unowned = self.lanes.is_empty() || (self.has_unowned_partition() && self.plant.dice.per_mille(100));
        if unowned && !self.start_ingest() {
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
        let was_current = !self.lanes.remove(index).is_zombie;
        if was_current && self.plant.broker.is_none() && self.plant.dice.per_mille(500) {
            self.stop_machine(0);
        }
    }

    /// Whether nobody who is alive was given some partition. Ingest of a journal has just the one.
    fn has_unowned_partition(&self) -> bool {
        let partitions = self.plant.broker.as_ref().map_or(0, Broker::partitions);
        let owners = || self.lanes.iter().filter(|lane| !lane.is_zombie);
        (0..partitions).any(|partition| !owners().any(|lane| lane.partitions.contains(&partition)))
    }

    fn start_ingest(&mut self) -> bool {
        match self.plant.broker.clone() {
            Some(broker) => self.rebalance(&broker),
            None => self.follow_journal(),
        }
    }

    /// Ingest of a journal runs in its gateway's process, as in `custody up`.
    fn follow_journal(&mut self) -> bool {
        let Some(reader) = self.sites[0].reader() else { return false };
        self.lanes.push(Lane::start(vec![Origin::Journal(reader)], &self.plant, &self.codec));
        self.plant.coverage.count("ingest started");
        true
    }

    /// One to three instances share the partitions anew; some that had them before do not hear of it.
    fn rebalance(&mut self, broker: &Broker) -> bool {
        self.plant.coverage.count("rebalances");
        let dice = self.plant.dice.clone();
        let mut zombies = self.lanes.iter().filter(|lane| lane.is_zombie).count();
        self.lanes.retain_mut(|lane| {
            let lives_on = lane.is_zombie || (zombies < MOST_ZOMBIES && dice.per_mille(200));
            zombies += usize::from(lives_on && !lane.is_zombie);
            lane.is_zombie = true;
            lives_on
        });
        if !self.lanes.is_empty() {
            self.plant.coverage.count("zombies");
            self.plant.weather.note_overlap();
        }
        let mut shares: Vec<Vec<Origin>> = (0..1 + dice.below(3)).map(|_| Vec::new()).collect();
        for partition in 0..broker.partitions() {
            let share = dice.below(shares.len() as u64) as usize;
            shares[share].push(Origin::Broker(broker.clone(), partition));
        }
        for share in shares.into_iter().filter(|share| !share.is_empty()) {
            self.lanes.push(Lane::start(share, &self.plant, &self.codec));
            self.plant.coverage.count("ingest started");
        }
        true
    }

    fn hand_over_floors(&mut self) {
        let floors: Vec<LogPosition> = self.lanes.iter().filter_map(Lane::take_floor).collect();
        let (None, Some(gateway)) = (&self.plant.broker, &mut self.sites[0].gateway) else { return };
        for floor in floors {
            let before = gateway.core.stats().first;
            gateway.core.set_floor(CONSUMER, floor);
            self.plant.coverage.add("truncations", u64::from(gateway.core.stats().first > before));
        }
    }

    /// A late batch arrives, partitions are added, or the instances share them anew.
    fn disturb_broker(&mut self) {
        let Some(broker) = self.plant.broker.clone() else { return };
        match self.plant.dice.below(10) {
            0..6 => self.plant.coverage.add("late batches", u64::from(self.late_batch(&broker))),
            6..7 if broker.partitions() < 6 => {
                self.plant.coverage.count("partitions added");
                broker.grow();
            }
            _ => drop(self.rebalance(&broker)),
        }
    }

    fn late_batch(&self, broker: &Broker) -> bool {
        (0..broker.partitions()).any(|partition| broker.arrive(partition))
    }

    fn break_disk(&mut self, site: usize) {
        let (dice, weather) = (&self.plant.dice, &self.plant.weather);
        let point = dice.pick(&[DiskPoint::Write, DiskPoint::Sync, DiskPoint::Sync, DiskPoint::Create, DiskPoint::Rename, DiskPoint::Read]);
        let kind = dice.pick(&[ErrorKind::Other, ErrorKind::StorageFull]);
        if weather.storms > 0 {
            self.plant.coverage.count(&format!("fault: disk {point:?}"));
            self.sites[site].disk.fail_later(point, kind, dice.below(3), 1 + dice.below(2));
        }
    }

    fn kill_ingest(&mut self) {
        if self.lanes.pop().is_some() {
            self.plant.coverage.count("ingest died: anywhere");
        }
    }

    /// The old ingest of a journal is thought dead and is not; a new one takes over.
    fn leave_zombie(&mut self) {
        if self.plant.broker.is_some() || self.lanes.is_empty() || self.lanes.len() >= MOST_ZOMBIES {
            return;
        }
        self.lanes.iter_mut().for_each(|lane| lane.is_zombie = true);
        if self.start_ingest() {
            self.plant.coverage.count("zombies");
            self.plant.weather.note_overlap();
        }
    }

    /// The whole machine stops, or the one process; before, during or after a commit.
    fn stop_machine(&mut self, site: usize) {
        let dice = self.plant.dice.clone();
        if dice.per_mille(400) {
            self.plant.coverage.count("machine died: in append or fsync");
            self.begin_request(site);
            self.advance_request(site);
            self.sites[site].disk.power_off_after(dice.below(4));
            self.commit(site);
        }
        if dice.per_mille(600) { self.power_cut(site) } else { self.kill_process(site) }
    }

    fn power_cut(&mut self, site: usize) {
        self.plant.coverage.count("machine died: power cut");
        self.forget_processes(site);
        self.sites[site].disk.crash(self.plant.dice.next());
    }

    fn kill_process(&mut self, site: usize) {
        self.plant.coverage.count("machine died: kill");
        self.forget_processes(site);
        self.sites[site].disk.kill();
    }

    /// Everything volatile is gone. Ingests of a broker may live on another machine.
    fn forget_processes(&mut self, site: usize) {
        self.sites[site].forget_processes();
        if self.plant.broker.is_none() || self.plant.dice.per_mille(500) {
            self.lanes.clear();
        }
    }

    fn boot(&mut self, site: usize) {
        if self.sites[site].gateway.is_some() {
            return;
        }
        if self.plant.dice.per_mille(100) {
            self.plant.coverage.count("machine died: in restart");
            self.sites[site].disk.power_off_after(self.plant.dice.below(12));
        }
        if self.sites[site].boot(&self.plant).is_err() {
            self.power_cut(site);
        }
    }

    /// Faults end, everything is restarted once more, and what was begun is finished.
    fn settle(&mut self) -> Result<(), String> {
        self.plant.weather.calm.store(true, Ordering::Relaxed);
        for site in 0..self.sites.len() {
            self.restart_calmly(site)?;
        }
        for _ in 0..PATIENCE {
            for site in 0..self.sites.len() {
                self.finish_requests(site)?;
                self.sites[site].ship(&self.plant);
            }
            self.hand_over_floors();
            let is_complete = !self.lanes.is_empty() && !self.has_unowned_partition();
            if is_complete || self.start_ingest() {
                self.lanes.iter_mut().for_each(Lane::poll);
            }
            self.plant.events.arrive();
            self.plant.letters.arrive();
            if let Some(broker) = &self.plant.broker {
                self.late_batch(broker);
            }
            if self.is_settled() {
                return Ok(());
            }
        }
        Err(format!("[settle] not everything is stored after {PATIENCE} rounds: {:?}", self.plant.events.state()))
    }

    fn restart_calmly(&mut self, site: usize) -> Result<(), String> {
        if self.plant.dice.per_mille(700) {
            self.power_cut(site);
        }
        self.sites[site].disk.heal();
        self.sites[site].disk.kill();
        self.forget_processes(site);
        self.sites[site].boot(&self.plant).map_err(|error| format!("[recovery] the journal does not open: {error:?}"))
    }

    fn finish_requests(&mut self, site: usize) -> Result<(), String> {
        self.prepare_spare(site);
        let Some(gateway) = &mut self.sites[site].gateway else { return Ok(()) };
        for index in 0..gateway.open_requests() {
            gateway.close(index, &mut self.plant.book, &mut self.codec);
        }
        gateway.commit(&mut self.plant.book).map_err(|error| format!("[recovery] the journal takes no outcome: {error:?}"))
    }

    fn is_settled(&self) -> bool {
        let transactions = self.plant.events.state().transactions;
        let stored = |partition: &str| transactions.get(&ledger::position_id(partition)).copied().unwrap_or(0);
        let is_stored = match (&self.plant.broker, &self.sites[0].gateway) {
            (Some(broker), _) => (0..broker.partitions())
                .all(|partition| stored(&Broker::partition_name(partition)) == ledger::version_of(broker.end(partition))),
            (None, Some(gateway)) => stored(&format!("journal/{}", gateway.core.id())) == ledger::version_of(gateway.core.durable()),
            (None, None) => false,
        };
        is_stored && self.sites.iter().all(|site| site.is_settled(&self.plant))
    }
}
