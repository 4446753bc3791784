//! What keeps providers in trouble from being asked ever more (B-14, GW-18): a breaker for each route, one budget for all retries,
//! and the numbers that tell of both (B-18).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use custody_model::protection::{Admission, Breaker, Change, RetryBudget, Verdict};
use custody_types::RouteName;
use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::workspace::Workspace;

/// Breakers, budget, numbers. Labels are the workspace's routes.
pub(crate) struct Protection {
    breakers: BTreeMap<RouteName, Arc<Breaker>>,
    retries: RetryBudget,
    attempts: IntCounterVec,
    changes: IntCounterVec,
    states: IntGaugeVec,
    repetitions: IntCounter,
    fallbacks: IntCounter,
    withheld: IntCounter,
}

impl Protection {
    pub(crate) fn new(workspace: &Workspace, registry: &Registry) -> Result<Self, prometheus::Error> {
        let limits = &workspace.settings.limits;
        let of_routes = |name: &str, help: &str, more: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), &[&["route"], more].concat())?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let plain = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let help = "State of a route's circuit breaker: 0 closed, 1 half-open, 2 open";
        let states = IntGaugeVec::new(Opts::new("custody_breaker_state", help), &["route"])?;
        registry.register(Box::new(states.clone()))?;
        Ok(Self {
            breakers: workspace.routes.keys().map(|route| (route.clone(), Breaker::new(limits.breaker))).collect(),
            retries: RetryBudget::new(limits.retries),
            attempts: of_routes("custody_attempts_total", "Attempts that ended, by what they say of their route", &["verdict"])?,
            changes: of_routes("custody_breaker_changes_total", "Breakers that opened or closed", &["change"])?,
            states,
            repetitions: plain("custody_repetitions_total", "Attempts after a request's first, on the route that failed")?,
            fallbacks: plain("custody_fallbacks_total", "Attempts after a request's first, on another route")?,
            withheld: plain("custody_retries_withheld_total", "Attempts that the retry budget did not allow")?,
        })
    }

    /// Leave for an attempt on a route.
    ///
    /// # Errors
    /// How long until it is worth asking again.
    pub(crate) fn admit(&self, route: &RouteName, now_us: u64) -> Result<Option<Admission>, Duration> {
        self.breakers.get(route).map(|breaker| breaker.admit(now_us)).transpose()
    }

    /// Counts a request's first attempt.
    pub(crate) fn first(&self, now_us: u64) {
        self.retries.first(now_us);
    }

    /// Whether one more attempt of a request may leave.
    pub(crate) fn may_retry(&self, now_us: u64) -> bool {
        let may = self.retries.take(now_us);
        if !may {
            self.withheld.inc();
        }
        may
    }

    /// Counts an attempt after a request's first.
    pub(crate) fn retried(&self, is_repetition: bool) {
        if is_repetition { self.repetitions.inc() } else { self.fallbacks.inc() }
    }

    /// What an attempt says of its route, if anything; the change that this made.
    pub(crate) fn ended(&self, route: &RouteName, leave: Option<Admission>, now_us: u64, verdict: Option<Verdict>) -> Option<Change> {
        let word = verdict.map_or("none", Verdict::as_str);
        self.attempts.with_label_values(&[route.as_str(), word]).inc();
        let change = leave?.settle(now_us, verdict?)?;
        self.changes.with_label_values(&[route.as_str(), change.as_str()]).inc();
        Some(change)
    }

    /// Brings the gauges up to date; a breaker's state changes with time alone, too.
    pub(crate) fn refresh(&self) {
        for (route, breaker) in &self.breakers {
            self.states.with_label_values(&[route.as_str()]).set(breaker.state().level());
        }
    }
}
