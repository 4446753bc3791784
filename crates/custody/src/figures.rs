//! Figures of the parts around the gateway, as lines of Prometheus' text form (version 0.0.4).

use std::fmt::Write;

/// Lines under way.
#[derive(Debug, Default)]
pub struct Figures(String);

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Figures {
    /// One figure without labels.
    pub fn add(&mut self, kind: Kind, name: &str, help: &str, value: f64) {
        self.add_each(kind, name, help, [(String::new(), value)]);
    }

    /// One figure for each label, which stands as `name="value"`.
    pub fn add_each(&mut self, kind: Kind, name: &str, help: &str, values: impl IntoIterator<Item = (String, f64)>) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (label, value) in values {
            let braces = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
            let _ = writeln!(self.0, "{name}{braces} {value}");
        }
    }

    /// All lines.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A count as a figure; beyond 2^53 it is rounded, which no rate notices.
#[expect(clippy::cast_precision_loss, reason = "figures are read by eye and by rate()")]
pub const fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_prometheus_wants_them() {
        let mut figures = Figures::default();
        figures.add(Kind::Gauge, "custody_a", "What a is", 1.5);
        figures.add_each(Kind::Counter, "custody_b_total", "What b is", [("partition=\"t/0\"".to_owned(), 2.0)]);
        let expected = "# HELP custody_a What a is\n# TYPE custody_a gauge\ncustody_a 1.5\n\
                        # HELP custody_b_total What b is\n# TYPE custody_b_total counter\ncustody_b_total{partition=\"t/0\"} 2\n";
        assert_eq!(figures.into_text(), expected);
    }
}
