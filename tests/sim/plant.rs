//! What no crash takes away: tables, broker, the book; and what all processes of one run share. Disks are the sites' own.

use std::sync::Arc;

use custody_testkit::store::FakeTable;

use crate::{
    book::Book,
    broker::Broker,
    coverage::Coverage,
    dice::Dice,
    facts::Letters,
    ports::{SimClock, SimIds, SimObserver},
    weather::Weather,
};

pub struct Plant<R> {
    pub dice: Dice,
    pub weather: Weather,
    /// Where the journals are shipped to; none where ingest reads the one journal itself.
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
        let broker = dice.per_mille(500).then(|| Broker::of(1 + dice.below(4) as usize));
        let chaos = Arc::new(weather.clone());
        let observer = SimObserver { alarms: Arc::default(), coverage: coverage.clone() };
        Self {
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
