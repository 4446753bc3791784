use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000;

fn config() -> BreakerConfig {
    BreakerConfig { window: Duration::from_secs(10), min_attempts: 20, failure_percent: 50, open: Duration::from_secs(5), probes: 2 }
}

fn attempt(breaker: &Arc<Breaker>, now: u64, verdict: Verdict) -> Option<Change> {
    breaker.admit(now).unwrap().settle(now, verdict)
}

fn opened() -> Arc<Breaker> {
    let breaker = Breaker::new(config());
    for _ in 0..19 {
        assert_eq!(attempt(&breaker, 0, Verdict::Failed), None);
    }
    assert_eq!(attempt(&breaker, 0, Verdict::Failed), Some(Change::Opened));
    breaker
}

/// B-14.
#[test]
fn a_breaker_opens_at_its_share_of_failures_and_not_before_its_least_number() {
    let breaker = opened();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.admit(SECOND).unwrap_err(), Duration::from_secs(4));

    let mostly_well = Breaker::new(config());
    for number in 0..1_000 {
        let verdict = if number % 100 < 49 { Verdict::Failed } else { Verdict::Answered };
        // The first hundred come with the answers first, so that no prefix has half of it failed.
        let verdict = if number < 100 { Verdict::Answered } else { verdict };
        assert_eq!(attempt(&mostly_well, number * 1_000, verdict), None, "{number}");
    }
}

#[test]
fn failures_of_long_ago_do_not_count() {
    let breaker = Breaker::new(config());
    for _ in 0..19 {
        attempt(&breaker, 0, Verdict::Failed);
    }
    assert_eq!(attempt(&breaker, 11 * SECOND, Verdict::Failed), None);
}

#[test]
fn after_its_time_a_few_probes_decide() {
    let breaker = opened();
    let (one, two) = (breaker.admit(5 * SECOND).unwrap(), breaker.admit(5 * SECOND).unwrap());
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.admit(5 * SECOND).is_err(), "no more than the probes at a time");
    assert_eq!(one.settle(6 * SECOND, Verdict::Answered), None);
    assert_eq!(two.settle(6 * SECOND, Verdict::Answered), Some(Change::Closed));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_failed_probe_opens_for_twice_as_long_up_to_a_bound() {
    let breaker = opened();
    let mut now = 5 * SECOND;
    for wait in [10, 20, 40, 40] {
        assert_eq!(attempt(&breaker, now, Verdict::Failed), Some(Change::Opened));
        assert_eq!(breaker.admit(now).unwrap_err(), Duration::from_secs(wait));
        now += wait * SECOND;
    }
}

#[test]
fn a_probe_without_a_verdict_gives_its_place_back() {
    let breaker = opened();
    let held = (breaker.admit(5 * SECOND).unwrap(), breaker.admit(5 * SECOND).unwrap());
    assert!(breaker.admit(5 * SECOND).is_err());
    drop(held);
    assert!(breaker.admit(5 * SECOND).is_ok());
}

#[test]
fn an_attempt_from_before_a_change_says_nothing_about_the_new_state() {
    let breaker = Breaker::new(config());
    let old = breaker.admit(0).unwrap();
    for _ in 0..20 {
        attempt(&breaker, 0, Verdict::Failed);
    }
    let probe = breaker.admit(5 * SECOND).unwrap();
    assert_eq!(old.settle(5 * SECOND, Verdict::Failed), None);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    drop(probe);
}

/// GW-18: retries are bounded.
#[test]
fn a_budget_is_a_share_of_the_requests_and_a_few_a_second() {
    let budget = RetryBudget::new(RetryBudgetConfig { percent: 20, min_per_second: 1 });
    (0..100).for_each(|_| budget.first(0));
    assert_eq!((0..1_000).filter(|_| budget.take(0)).count(), 20 + 10);
    assert!(!budget.take(5 * SECOND));
    assert_eq!((0..1_000).filter(|_| budget.take(11 * SECOND)).count(), 10, "the window has gone by");
}

proptest! {
    /// In any run of events the retries of the last ten seconds stay within their bound at every moment they are taken.
    #[test]
    fn retries_never_exceed_their_bound(steps in proptest::collection::vec((0_u64..300_000, any::<bool>()), 1..2_000)) {
        let budget = RetryBudget::new(RetryBudgetConfig { percent: 20, min_per_second: 1 });
        let (mut now, mut firsts, mut retries) = (0, 0_u64, 0_u64);
        for (pause, first) in steps {
            now += pause;
            if first {
                budget.first(now);
                firsts += 1;
            } else {
                retries += u64::from(budget.take(now));
            }
        }
        let windows = now / (9 * SECOND) + 1;
        prop_assert!(retries <= firsts / 5 + 10 * windows, "{retries} retries of {firsts} in {now} us");
    }

    /// Whatever happens, a half-open breaker never has more than its probes under way, and an open one lets nothing through.
    #[test]
    fn a_breaker_never_lets_more_through_than_its_state_allows(steps in proptest::collection::vec((0_u64..2_000_000, 0_u8..4), 1..400)) {
        let breaker = Breaker::new(config());
        let (mut now, mut held): (u64, Vec<Admission>) = (0, Vec::new());
        let mut admitted_since_half_open = 0;
        for (pause, what) in steps {
            now += pause;
            let before = breaker.state();
            match what {
                0 | 1 => {
                    if let Ok(admission) = breaker.admit(now) {
                        held.push(admission);
                        if breaker.state() == BreakerState::HalfOpen {
                            admitted_since_half_open = if before == BreakerState::HalfOpen { admitted_since_half_open + 1 } else { 1 };
                            prop_assert!(admitted_since_half_open <= 2 * config().probes, "{admitted_since_half_open}");
                        }
                    }
                }
                2 => drop(held.pop().and_then(|one| one.settle(now, Verdict::Failed))),
                _ => drop(held.pop().and_then(|one| one.settle(now, Verdict::Answered))),
            }
        }
    }
}
