//! What is seen of providers, as lines of `/metrics`. Labels are names of the workspace and words of our own; a figure that is not
//! known has no line.

use std::fmt::Write as _;

use super::{
    change::Reach,
    seen::{Health, State},
};

/// One figure: its kind, name and meaning, and its samples for one provider as further labels and a value.
type Figure = (&'static str, &'static str, &'static str, fn(&State) -> Vec<(String, f64)>);

const FIGURES: [Figure; 7] = [
    ("gauge", "custody_provider_reachable", "1 where a working server answers, 0 where none does", |state| {
        plain(state.reach.map(|reach| if reach == Reach::Away { 0.0 } else { 1.0 }))
    }),
    ("gauge", "custody_provider_probe_seconds", "How long the last question for models took", |state| {
        plain(state.reach.map(|_| state.took.as_secs_f64()))
    }),
    ("gauge", "custody_provider_route_listed", "1 where the provider lists the route's model, 0 where it does not", |state| {
        let routes = state.listed.iter();
        routes.map(|(route, listed)| (format!(",route=\"{route}\""), if *listed { 1.0 } else { 0.0 })).collect()
    }),
    ("counter", "custody_provider_probe_failures_total", "Questions without a usable answer, by question and reason", |state| {
        let failures = state.failures.iter();
        failures
            .map(|((about, reason), count)| {
                (format!(",about=\"{about}\",reason=\"{reason}\""), f64::from(u32::try_from(*count).unwrap_or(u32::MAX)))
            })
            .collect()
    }),
    ("gauge", "custody_provider_requests_running", "Requests that the provider says it is answering", |state| {
        plain(state.capacity.and_then(|capacity| capacity.running))
    }),
    ("gauge", "custody_provider_requests_waiting", "Requests that wait at the provider", |state| {
        plain(state.capacity.and_then(|capacity| capacity.waiting))
    }),
    ("gauge", "custody_provider_cache_usage_ratio", "Share of the provider's key-value cache in use", |state| {
        plain(state.capacity.and_then(|capacity| capacity.cache_usage))
    }),
];

/// Every figure that has a sample.
pub(super) fn of(health: &Health) -> String {
    let states: Vec<(String, State)> = health.iter().map(|(provider, seen)| (escaped(provider), seen.state())).collect();
    let mut text = String::new();
    for (kind, name, help, samples) in FIGURES {
        let of_provider = |(provider, state): &(String, State)| {
            let lines = samples(state).into_iter().map(|(labels, value)| format!("{name}{{provider=\"{provider}\"{labels}}} {value}\n"));
            lines.collect::<String>()
        };
        let lines: String = states.iter().map(of_provider).collect();
        if !lines.is_empty() {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
        }
    }
    text
}

fn plain(value: Option<f64>) -> Vec<(String, f64)> {
    value.map(|value| (String::new(), value)).into_iter().collect()
}

/// A provider's name is any key of the file.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
