//! The gateway's numbers. Labels are closed sets: outcome classes and our own codes; tenants are no labels here.

use custody_log::JournalStats;
use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder, core::Collector};

use crate::refusal::OutcomeClass;

/// Seconds, from a refusal to a long answer.
const DURATION_BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0];

/// Seconds of our own, in which a group commit is the largest part.
const OVERHEAD_BUCKETS: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0];

/// Counters and histograms.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Vec<IntCounter>,
    refusals: IntCounterVec,
    duration: Histogram,
    overhead: Histogram,
    input_tokens: IntCounter,
    output_tokens: IntCounter,
    journal: Vec<(IntGauge, ReadStat)>,
}

/// How a gauge reads off the journal.
type ReadStat = fn(&JournalStats) -> u64;

/// A gauge's name and help, and how it reads off the journal.
type JournalGauge = (&'static str, &'static str, ReadStat);

const JOURNAL_GAUGES: [JournalGauge; 12] = [
    ("custody_journal_failed", "1 once the journal takes nothing more", |stats| u64::from(stats.failed)),
    ("custody_journal_kept_records", "Records between the first kept and the durable end", |stats| {
        stats.durable.get().saturating_sub(stats.first.get())
    }),
    ("custody_journal_durable_position", "Durable end of the journal", |stats| stats.durable.get()),
    ("custody_journal_open_requests", "Requests that owe an outcome", |stats| stats.open_requests),
    ("custody_journal_bytes", "Bytes of all segments", |stats| stats.total_bytes),
    ("custody_journal_bytes_limit", "Bound of the bytes of all segments", |stats| stats.max_total_bytes),
    ("custody_journal_fsyncs_total", "Group commits since start", |stats| stats.commits),
    ("custody_journal_records_total", "Records made durable since start", |stats| stats.records),
    ("custody_journal_last_batch_records", "Records of the last group commit", |stats| stats.last_batch),
    ("custody_journal_largest_batch_records", "Records of the largest group commit", |stats| stats.largest_batch),
    ("custody_journal_poisoned_segments_total", "Segments given up after a failed write or sync", |stats| stats.poisoned),
    ("custody_journal_orphaned_total", "Requests dropped without an outcome", |stats| stats.orphaned),
];

impl Metrics {
    pub(crate) fn new(registry: Registry) -> Result<Self, prometheus::Error> {
        let by_class = IntCounterVec::new(Opts::new("custody_requests_total", "Requests that ended, by outcome class"), &["class"])?;
        let refusals = IntCounterVec::new(Opts::new("custody_refusals_total", "Requests without an answer, by code"), &["code"])?;
        let duration = histogram("custody_request_duration_seconds", "From receipt to outcome", &DURATION_BUCKETS)?;
        let overhead = histogram("custody_overhead_seconds", "The part of it not spent waiting for models", &OVERHEAD_BUCKETS)?;
        let input_tokens = IntCounter::new("custody_input_tokens_total", "Input tokens that providers stated")?;
        let output_tokens = IntCounter::new("custody_output_tokens_total", "Output tokens that providers stated")?;
        registry.register(Box::new(by_class.clone()))?;
        registry.register(Box::new(refusals.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        registry.register(Box::new(overhead.clone()))?;
        registry.register(Box::new(input_tokens.clone()))?;
        registry.register(Box::new(output_tokens.clone()))?;
        let mut journal = Vec::with_capacity(JOURNAL_GAUGES.len());
        for (name, help, read) in JOURNAL_GAUGES {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            journal.push((gauge, read));
        }
        let requests = OutcomeClass::ALL.iter().map(|class| by_class.with_label_values(&[class.as_str()])).collect();
        Ok(Self { registry, requests, refusals, duration, overhead, input_tokens, output_tokens, journal })
    }

    /// Figures of a part that not every gateway has.
    pub(crate) fn register(&self, figures: impl Collector + 'static) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(figures))
    }

    /// A request ended.
    pub(crate) fn ended(&self, class: OutcomeClass, code: Option<&'static str>, duration_us: u64, overhead_us: u64) {
        if let Some(counter) = self.requests.get(class as usize) {
            counter.inc();
        }
        if let Some(code) = code {
            self.refusals.with_label_values(&[code]).inc();
        }
        self.duration.observe(seconds(duration_us));
        self.overhead.observe(seconds(overhead_us));
    }

    /// A request was turned away before it began.
    pub(crate) fn turned_away(&self, code: &'static str) {
        self.refusals.with_label_values(&[code]).inc();
    }

    /// A provider stated what it used.
    pub(crate) fn tokens(&self, input: u64, output: u64) {
        self.input_tokens.inc_by(input);
        self.output_tokens.inc_by(output);
    }

    /// Everything in Prometheus' text form.
    pub(crate) fn render(&self, stats: &JournalStats) -> Vec<u8> {
        for (gauge, read) in &self.journal {
            gauge.set(i64::try_from(read(stats)).unwrap_or(i64::MAX));
        }
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be written");
        }
        #[cfg(feature = "unsealed")]
        text.extend(crate::unsealed::figures());
        text
    }
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
}

fn seconds(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}
