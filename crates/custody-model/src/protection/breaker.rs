//! A circuit breaker: a route that mostly fails is left alone for a while, then tried carefully (B-14).
//!
//! ```text
//!            failures of the window ≥ failure_percent, of at least min_attempts
//!   Closed ────────────────────────────────────────────────────────────────────▶ Open ◀──────────┐
//!     ▲                                                                             │ `open` over  │ a probe failed:
//!     │ so many probes in a row answered                                            ▼              │ open twice as long
//!     └───────────────────────────────────────────────────────────────────────── HalfOpen ────────┘
//! ```
//! Half-open lets `probes` attempts through at a time and refuses the rest. An attempt that was let through before the last change
//! of state says nothing about the new one. One that ends without a verdict only gives its place back.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::window::Window;

/// A route that never comes back is asked again at least this seldom, as a multiple of `open`.
const LONGEST_OPEN: u32 = 8;

/// When a breaker opens and how it closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// How far back attempts count.
    pub window: Duration,
    /// Fewer attempts than this in the window never open it.
    pub min_attempts: u32,
    /// It opens at this share of failures, 1 to 100.
    pub failure_percent: u32,
    /// How long it stays open, the first time.
    pub open: Duration,
    /// How many attempts it lets through at a time when half-open, and how many must be answered in a row to close it.
    pub probes: u32,
}

/// What an attempt says about its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was answered, or refused for what the request itself was.
    Answered,
    /// It failed, and the next would likely fail too.
    Failed,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Attempts go through.
    Closed,
    /// A few attempts go through, to see.
    HalfOpen,
    /// No attempt goes through.
    Open,
}

/// A change of state that people may want to know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It opened, for the first time or again.
    Opened,
    /// It closed.
    Closed,
}

/// One route's breaker.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    inner: Mutex<Inner>,
}

/// Leave for one attempt. Dropped without a verdict, it only gives its place back.
#[derive(Debug)]
pub struct Admission {
    breaker: Arc<Breaker>,
    generation: u64,
    settled: bool,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    window: Window,
    /// Number of changes of phase so far.
    generation: u64,
    /// How often it opened since it was last closed.
    opened: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    Open { until_us: u64 },
    HalfOpen { under_way: u32, answered: u32 },
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(config: BreakerConfig) -> Arc<Self> {
        let inner = Inner { phase: Phase::Closed, window: Window::new(micros(config.window)), generation: 0, opened: 0 };
        Arc::new(Self { config, inner: Mutex::new(inner) })
    }

    /// Leave for an attempt.
    ///
    /// # Errors
    /// How long until it is worth asking again.
    pub fn admit(self: &Arc<Self>, now_us: u64) -> Result<Admission, Duration> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Phase::Open { until_us } = inner.phase {
            if now_us < until_us {
                return Err(Duration::from_micros(until_us - now_us));
            }
            inner.enter(Phase::HalfOpen { under_way: 0, answered: 0 });
        }
        if let Phase::HalfOpen { under_way, .. } = &mut inner.phase {
            if *under_way >= self.config.probes {
                return Err(self.config.open.min(Duration::from_secs(1)));
            }
            *under_way += 1;
        }
        Ok(Admission { breaker: Arc::clone(self), generation: inner.generation, settled: false })
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.inner.lock().unwrap_or_else(PoisonError::into_inner).phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn settle(&self, generation: u64, now_us: u64, verdict: Verdict) -> Option<Change> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation != generation {
            return None;
        }
        match (&mut inner.phase, verdict) {
            (Phase::Closed, _) => {
                inner.window.count(now_us, verdict == Verdict::Failed);
                self.trips(&mut inner, now_us).then(|| self.open(&mut inner, now_us))
            }
            (Phase::HalfOpen { .. }, Verdict::Failed) => Some(self.open(&mut inner, now_us)),
            (Phase::HalfOpen { under_way, answered }, Verdict::Answered) => {
                *under_way = under_way.saturating_sub(1);
                *answered += 1;
                let enough = *answered >= self.config.probes;
                enough.then(|| inner.close())
            }
            (Phase::Open { .. }, _) => None,
        }
    }

    fn trips(&self, inner: &mut Inner, now_us: u64) -> bool {
        let counts = inner.window.counts(now_us);
        counts.all >= u64::from(self.config.min_attempts) && counts.marked * 100 >= counts.all * u64::from(self.config.failure_percent)
    }

    fn open(&self, inner: &mut Inner, now_us: u64) -> Change {
        let times = 1_u32.checked_shl(inner.opened).unwrap_or(LONGEST_OPEN).min(LONGEST_OPEN);
        inner.opened = inner.opened.saturating_add(1);
        inner.enter(Phase::Open { until_us: now_us.saturating_add(micros(self.config.open * times)) });
        Change::Opened
    }

    fn give_back(&self, generation: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation != generation {
            return;
        }
        if let Phase::HalfOpen { under_way, .. } = &mut inner.phase {
            *under_way = under_way.saturating_sub(1);
        }
    }
}

impl Inner {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.window.clear();
    }

    fn close(&mut self) -> Change {
        self.opened = 0;
        self.enter(Phase::Closed);
        Change::Closed
    }
}

impl Admission {
    /// Tells the breaker how the attempt ended; the change that this made, if it made one.
    pub fn settle(mut self, now_us: u64, verdict: Verdict) -> Option<Change> {
        self.settled = true;
        self.breaker.settle(self.generation, now_us, verdict)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if !self.settled {
            self.breaker.give_back(self.generation);
        }
    }
}

impl BreakerState {
    /// A number for a gauge: 0 closed, 1 half-open, 2 open.
    #[must_use]
    pub const fn level(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

impl Verdict {
    /// The word in numbers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
        }
    }
}

impl Change {
    /// The word in events and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "breaker_opened",
            Self::Closed => "breaker_closed",
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
