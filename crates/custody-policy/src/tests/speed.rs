//! A decision stands in the way of every request: under 30 microseconds in a release build.

use std::{hint::black_box, time::Instant};

use super::*;

const BATCHES: u32 = 200;
const BATCH: u32 = 100;

#[test]
#[ignore = "measures; run it with --release -- --ignored --nocapture"]
fn a_decision_takes_less_than_thirty_microseconds() {
    let set = PolicySet::load(SCHEMA, &[CAPABILITIES, ROUTES]).unwrap();
    let (principal, capability) = (principal("acme", PrincipalKind::Service, &["replay"]), capability("docs.summarise"));
    let route = route("simulator", DataClass::Restricted, Some("eu"), only(&["acme", "globex"]));
    let invoke = quickest(|| invoke(&set, &principal, &capability));
    let take = quickest(|| take(&set, &principal, &route, DataClass::Internal, &capability));
    println!("may_invoke {invoke:.1} µs, may_use_route {take:.1} µs");
    assert!(invoke < 30.0 && take < 30.0);
}

/// Microseconds per call in the quickest batch: what the code costs when nothing else takes the processor.
#[expect(clippy::disallowed_methods, reason = "a measurement asks the real clock")]
fn quickest<T>(ask: impl Fn() -> T) -> f64 {
    let batch = || {
        let start = Instant::now();
        for _ in 0..BATCH {
            black_box(ask());
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
    };
    (0..BATCHES).map(|_| batch()).fold(f64::INFINITY, f64::min)
}
