//! What goes wrong: storage and log reads that fail or do not answer, and processes that die at named points.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use custody_testkit::store::{CommitFault, StoreChaos, UploadFault};

use crate::{coverage::Coverage, dice::Dice};

/// Faults of log reads and of storage; off once the dust settles.
#[derive(Debug, Clone)]
pub struct Weather {
    pub dice: Dice,
    pub calm: Arc<AtomicBool>,
    pub coverage: Coverage,
    /// Chance of each fault, in thousandths.
    pub storms: u64,
    /// Whether two ingests, or an ingest and a late commit, ever met.
    pub overlap: Arc<AtomicBool>,
}

impl Weather {
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub fn note_overlap(&self) {
        self.overlap.store(true, Ordering::Relaxed);
    }

    /// Whether the named fault happens now.
    pub fn strikes(&self, fault: &str) -> bool {
        self.strikes_often(fault, 1)
    }

    /// The same for what happens seldom.
    fn strikes_often(&self, fault: &str, times: u64) -> bool {
        let strikes = !self.is_calm() && self.dice.per_mille(self.storms * times);
        if strikes {
            self.coverage.count(&format!("fault: {fault}"));
        }
        strikes
    }
}

impl StoreChaos for Weather {
    fn read_fails(&self) -> bool {
        self.strikes("lake read")
    }

    fn upload(&self) -> UploadFault {
        if !self.strikes_often("upload", 2) {
            return UploadFault::None;
        }
        self.dice.pick(&[UploadFault::Lost, UploadFault::Orphaned])
    }

    fn commit(&self) -> CommitFault {
        use CommitFault::{Failed, InFlight, LandedAsConflict, LandedUnheard, Lost};
        if !self.strikes_often("commit", 4) {
            return CommitFault::None;
        }
        let fault = self.dice.pick(&[Failed, InFlight, InFlight, LandedAsConflict, LandedUnheard, Lost]);
        self.coverage.count(&format!("commit answered: {fault:?}"));
        if fault == InFlight {
            self.note_overlap();
        }
        fault
    }

    fn rebases(&self) -> bool {
        self.dice.per_mille(500)
    }
}

/// Where one ingest process may die. Once it is dead, nothing it does has an effect.
#[derive(Debug, Clone)]
pub struct Fuse {
    weather: Weather,
    died_at: Arc<Mutex<Option<&'static str>>>,
}

impl Fuse {
    pub fn new(weather: Weather) -> Self {
        Self { weather, died_at: Arc::default() }
    }

    pub fn died_at(&self) -> Option<&'static str> {
        *self.died_at.lock().expect("not poisoned")
    }

    /// The process passes a point, or dies there.
    pub fn burns(&self, point: &'static str) -> bool {
        if self.died_at().is_some() {
            return true;
        }
        let dies = !self.weather.is_calm() && self.weather.dice.per_mille(6);
        if dies {
            self.weather.coverage.count(&format!("ingest died: {point}"));
            *self.died_at.lock().expect("not poisoned") = Some(point);
        }
        dies
    }

    pub async fn pass(&self, point: &'static str) {
        if self.burns(point) {
            pending::<()>().await;
        }
    }
}
