//! One machine with a gateway: its disk, which crashes spare, and its processes, which they do not.

use custody_log::SegmentReader;
use custody_testkit::disk::SimDisk;
use custody_types::LogPosition;

use crate::{
    gateway::{CONSUMER, Gateway},
    plant::Plant,
    shipper::Shipper,
};

pub struct Site {
    number: usize,
    pub disk: SimDisk,
    pub gateway: Option<Gateway>,
    shipper: Option<Shipper>,
    /// The broker's partition of its journal.
    partition: usize,
}

impl Site {
    pub fn new<R>(number: usize, plant: &Plant<R>) -> Self {
        let partition = plant.broker.as_ref().map_or(0, |broker| plant.dice.below(broker.partitions() as u64) as usize);
        Self { number, disk: SimDisk::new(), gateway: None, shipper: None, partition }
    }

    pub fn boot<R>(&mut self, plant: &Plant<R>) -> Result<(), custody_log::OpenJournalError> {
        self.gateway = Some(Gateway::boot(self.number, &self.disk, &plant.coverage)?);
        Ok(())
    }

    pub fn reader(&self) -> Option<SegmentReader> {
        self.gateway.as_ref().map(|gateway| gateway.core.reader(LogPosition::START))
    }

    pub fn ship<R>(&mut self, plant: &Plant<R>) {
        let (Some(broker), Some(gateway)) = (&plant.broker, &mut self.gateway) else { return };
        if self.shipper.is_none() {
            self.shipper = Shipper::start(gateway.core.reader(LogPosition::START), self.partition).ok();
        }
        let Some(shipper) = &mut self.shipper else { return };
        if let Some(floor) = shipper.step(broker, &plant.weather) {
            let before = gateway.core.stats().first;
            gateway.core.set_floor(CONSUMER, floor);
            plant.coverage.add("truncations", u64::from(gateway.core.stats().first > before));
        }
    }

    /// Every process is gone; the disk is not.
    pub fn forget_processes(&mut self) {
        self.gateway = None;
        self.shipper = None;
    }

    /// Whether every request has its outcome and, where there is a broker, everything is on it.
    pub fn is_settled<R>(&self, plant: &Plant<R>) -> bool {
        let Some(gateway) = &self.gateway else { return false };
        let shipped = || self.shipper.as_ref().is_some_and(|shipper| shipper.next() == gateway.core.durable());
        gateway.open_requests() == 0 && (plant.broker.is_none() || shipped())
    }
}
