//! One process that ingests: the product's loop over simulated ports, polled by hand. Dropping it is its death.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use custody_ingest::{Ingest, IngestConfig, IngestParts};
use custody_types::LogPosition;
use tokio::sync::watch;

use crate::{
    facts::Codec,
    plant::Plant,
    ports::{Origin, SimAcknowledge, SimDecoder, SimLookup, SimReader, SimStore},
    weather::Fuse,
};

const NOTHING: u64 = u64::MAX;

pub struct Lane {
    pub fuse: Fuse,
    /// Whether somebody else was given its partitions meanwhile.
    pub is_zombie: bool,
    /// The broker's partitions that it was given.
    pub partitions: Vec<usize>,
    future: Pin<Box<dyn Future<Output = ()>>>,
    floor: Arc<AtomicU64>,
    _stop: watch::Sender<bool>,
}

fn config(plant_dice: u64) -> IngestConfig {
    IngestConfig {
        flush_bytes: 200 + plant_dice as usize,
        flush_age: Duration::from_micros(3),
        read_wait: Duration::from_micros(1),
        ..IngestConfig::default()
    }
}

impl Lane {
    pub fn start<C: Codec>(origins: Vec<Origin>, plant: &Plant<C::Rows>, codec: &C) -> Self {
        let weather = plant.weather.clone();
        let fuse = Fuse::new(weather.clone());
        let floor = Arc::new(AtomicU64::new(NOTHING));
        let acknowledge = SimAcknowledge { floor: Arc::clone(&floor), fuse: fuse.clone(), weather: weather.clone() };
        let clock = plant.clock.clone();
        let partitions = origins.iter().filter_map(Origin::partition).collect();
        let reader = |origin| {
            let (fuse, weather, clock) = (fuse.clone(), weather.clone(), clock.clone());
            SimReader { origin, at: LogPosition::START, fuse, weather, clock }
        };
        let parts = IngestParts {
            logs: origins.into_iter().map(reader).collect(),
            decoder: SimDecoder { inner: codec.decoder(), fuse: fuse.clone() },
            events: SimStore { table: plant.events.clone(), fuse: fuse.clone() },
            dead_letters: SimStore { table: plant.letters.clone(), fuse: fuse.clone() },
            lookup: Arc::new(SimLookup { table: plant.events.clone(), weather: weather.clone() }),
            acknowledge: Box::new(acknowledge),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(plant.ids.clone()),
            observer: Arc::new(plant.observer.clone()),
        };
        let mut ingest = Ingest::new(config(weather.dice.below(1500)), parts);
        let (stop, stopped) = watch::channel(false);
        let future = Box::pin(async move {
            loop {
                // Every error is tried again: only storage and log errors that pass are simulated.
                let _ = ingest.turn(&stopped).await;
            }
        });
        Self { fuse, is_zombie: false, partitions, future, floor, _stop: stop }
    }

    /// Runs the loop to its next await that does not answer at once.
    pub fn poll(&mut self) {
        let _ = self.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }

    /// What the loop acknowledged since the last call.
    pub fn take_floor(&self) -> Option<LogPosition> {
        let floor = self.floor.swap(NOTHING, Ordering::Relaxed);
        (floor != NOTHING).then(|| LogPosition::new(floor))
    }
}
