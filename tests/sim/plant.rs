//! What no crash takes away: disk, tables, broker, the book; and what all processes of one run share.

use std::sync::Arc;

use custody_testkit::{disk::SimDisk, store::FakeTable};

use crate::{
    book::Book,
    coverage::Coverage,
    dice::Dice,
    facts::Letters,
    ports::{Broker, SimClock, SimIds, SimObserver},
    weather::Weather,
};

pub struct Plant<R> {
    pub dice: Dice,
    pub weather: Weather,
    pub disk: SimDisk,
    /// Where the journal is shipped to; none where ingest reads the journal itself.
    pub broker: Option<Broker>,
    pub events: FakeTable<R>,
    pub letters: FakeTable<Letters>,
    pub book: Book,
    pub clock: SimClock,
    pub ids: SimIds,
    pub observer: SimObserver,
    pub coverage: Coverage,
}

impl<R: Clone> Plant<R> {
    pub fn new(seed: u64, coverage: &Coverage) -> Self {
        let dice = Dice::new(seed);
        let storms = dice.pick(&[0, 10, 40, 120]);
        let coverage = coverage.clone();
        let weather = Weather { dice: dice.clone(), calm: Arc::default(), coverage: coverage.clone(), storms, overlap: Arc::default() };
        let broker = dice.per_mille(400).then(Broker::default);
        let chaos = Arc::new(weather.clone());
        let observer = SimObserver { alarms: Arc::default(), coverage: coverage.clone() };
        Self {
            disk: SimDisk::new(),
            broker,
            events: FakeTable::new(chaos.clone()),
            letters: FakeTable::new(chaos),
            book: Book::default(),
            clock: SimClock::default(),
            ids: SimIds::default(),
            observer,
            dice,
            weather,
            coverage,
        }
    }
}
