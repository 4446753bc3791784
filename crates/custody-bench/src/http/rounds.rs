//! Rounds: the rows of a table take turns, so that what the machine does besides meets them all alike.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{
    exchange::Connection,
    fleet::Server,
    form::Form,
    load::{self, Load, Seen},
    mode::Mode,
    upstream,
};
use crate::{
    measure::{ThreadSeconds, median},
    terminal::{say, shown},
};

/// One row of a table: whom it calls, in which form, and by which route its answers must come.
#[derive(Debug)]
pub struct Row<'a> {
    pub name: &'static str,
    pub server: &'a Server,
    pub form: Form,
    pub capability: &'static str,
    /// Nothing where no gateway stands between.
    pub route: Option<&'static str>,
}

/// How long and how often to measure.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub connections: usize,
    pub lasting: Duration,
    pub rounds: usize,
}

/// One round of one row.
#[derive(Debug, Default)]
pub struct Figures {
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
    pub first_p50: f64,
    pub first_p99: f64,
    pub gap_p50: f64,
    pub gap_p99: f64,
    pub stall_p50: f64,
    pub stall_p99: f64,
    pub cpu_ms: f64,
    pub errors: u64,
}

/// All rounds of one row.
#[derive(Debug, Default)]
pub struct Rounds(pub Vec<Figures>);

impl Rounds {
    /// The middle round's value, for a table.
    pub fn middle(&self, of: fn(&Figures) -> f64) -> String {
        shown(median(self.0.iter().map(of)))
    }

    /// The middle of what each round has more than another row's round beside it.
    pub fn middle_over(&self, other: &Self, of: fn(&Figures) -> f64) -> String {
        shown(median(self.0.iter().zip(&other.0).map(|(round, beside)| of(round) - of(beside))))
    }

    pub fn errors(&self) -> String {
        self.0.iter().map(|round| round.errors).sum::<u64>().to_string()
    }
}

impl Row<'_> {
    fn load(&self, mode: Mode, effort: Effort) -> Load {
        let Effort { connections, lasting, .. } = effort;
        let request = self.form.request(mode, self.capability, &self.server.key);
        Load { target: self.server.address, request, form: self.form, mode, connections, lasting }
    }
}

/// One answer of each row, read as a client reads it: whole, in the upstream's words, by the row's route. What answers otherwise
/// is not measured.
pub async fn check(rows: &[Row<'_>], mode: Mode, effort: Effort) -> Result<()> {
    for row in rows {
        check_row(row, &row.load(mode, effort)).await.with_context(|| format!("{}, {}", row.name, mode.title()))?;
    }
    Ok(())
}

async fn check_row(row: &Row<'_>, load: &Load) -> Result<()> {
    let mut connection = Connection::open(load.target).await?;
    let answer = connection.exchange(load).await?;
    let text = load.form.text(load.mode, answer.body)?;
    ensure!(text.trim_end() == upstream::text(), "the upstream did not say `{text}`");
    let head = String::from_utf8_lossy(answer.head);
    let route = head.lines().find_map(|line| line.strip_prefix("x-custody-route: "));
    ensure!(route == row.route, "came by route {route:?}, not {:?}", row.route);
    Ok(())
}

/// Measures all rows, round after round.
pub async fn alternate(rows: &[Row<'_>], mode: Mode, effort: Effort) -> Result<Vec<Rounds>> {
    let mut measured: Vec<Rounds> = rows.iter().map(|_| Rounds::default()).collect();
    for _ in 0..effort.rounds {
        for (row, rounds) in rows.iter().zip(&mut measured) {
            rounds.0.push(measure(row, &row.load(mode, effort)).await?);
        }
    }
    Ok(measured)
}

async fn measure(row: &Row<'_>, load: &Load) -> Result<Figures> {
    let warm = load::run(&Load { lasting: load.lasting.mul_f64(0.15), ..load.clone() }).await?;
    ensure!(warm.answered > 0, "{} answers nothing: {}", row.name, warm.first_error.unwrap_or_default());
    let before = ThreadSeconds::of(row.server.pid())?;
    let seen = load::run(load).await?;
    let cpu = ThreadSeconds::of(row.server.pid())?.since(&before);
    if let Some(error) = &seen.first_error {
        say(&format!("{}: {} errors, the first: {error}", row.name, seen.errors));
    }
    Ok(Figures::new(seen, cpu))
}

impl Figures {
    fn new(mut seen: Seen, cpu_seconds: f64) -> Self {
        Self {
            rate: seen.answered as f64 / seen.seconds,
            p50: seen.latency.percentile(50.0),
            p99: seen.latency.percentile(99.0),
            first_p50: seen.first.percentile(50.0),
            first_p99: seen.first.percentile(99.0),
            gap_p50: seen.gap.percentile(50.0),
            gap_p99: seen.gap.percentile(99.0),
            stall_p50: seen.stall.percentile(50.0),
            stall_p99: seen.stall.percentile(99.0),
            cpu_ms: cpu_seconds * 1_000.0 / seen.answered.max(1) as f64,
            errors: seen.errors,
        }
    }
}
