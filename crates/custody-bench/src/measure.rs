//! Numbers: percentiles of many latencies, medians of rounds, and what the kernel says a process used.

mod processor;

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

pub use processor::ThreadSeconds;
use processor::cpu_seconds;

/// Latencies of one run, in microseconds.
#[derive(Debug, Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The latency below which `percent` of all lie, in milliseconds. Sorts, so ask it last.
    pub fn percentile(&mut self, percent: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let place = (last as f64 * percent / 100.0).round() as usize;
        self.0.get(place).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
    }
}

/// The middle value; the machine's noise is in the others.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Wall and processor time of a piece of work, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub wall: f64,
    pub cpu: f64,
}

/// Measures [`Spent`] of a process.
pub struct Meter {
    process: u32,
    began: Instant,
    cpu: f64,
}

impl Meter {
    /// Of this process.
    pub fn start() -> Result<Self> {
        Self::start_of(std::process::id())
    }

    /// Of a process that was started from here.
    pub fn start_of(process: u32) -> Result<Self> {
        let cpu = cpu_seconds(process)?;
        Ok(Self { process, began: Instant::now(), cpu })
    }

    pub fn stop(&self) -> Result<Spent> {
        Ok(Spent { wall: self.began.elapsed().as_secs_f64(), cpu: cpu_seconds(self.process)? - self.cpu })
    }
}

/// The most memory this process ever had resident, in MiB.
pub fn peak_resident_mib() -> f64 {
    status_mib("VmHWM:")
}

fn status_mib(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// What this process has resident now, in MiB.
fn resident_mib() -> f64 {
    status_mib("VmRSS:")
}

/// Looks at this process's memory from time to time.
pub struct MemoryWatch {
    stop: watch::Sender<bool>,
    looking: JoinHandle<Vec<f64>>,
}

impl MemoryWatch {
    pub fn start() -> Self {
        const PAUSE: Duration = Duration::from_millis(100);
        let (stop, mut stopping) = watch::channel(false);
        let looking = tokio::spawn(async move {
            let mut seen = vec![resident_mib()];
            while tokio::time::timeout(PAUSE, stopping.wait_for(|stop| *stop)).await.is_err() {
                seen.push(resident_mib());
            }
            seen
        });
        Self { stop, looking }
    }

    /// MiB resident at each look, in order.
    pub async fn stop(self) -> Result<Vec<f64>> {
        self.stop.send_replace(true);
        Ok(self.looking.await?)
    }
}

/// Sizes of the Parquet files below a folder.
pub fn file_sizes(folder: &std::path::Path) -> Result<Vec<u64>> {
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            // The table's log has Parquet files too, its checkpoints.
            sizes.extend(if path.ends_with("_delta_log") { Vec::new() } else { file_sizes(&path)? });
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            sizes.push(entry.metadata()?.len());
        }
    }
    Ok(sizes)
}

/// Bytes of all files below a folder.
pub fn folder_bytes(folder: &std::path::Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        bytes += if kind.is_dir() { folder_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_medians_are_of_the_sorted_values() {
        let mut latencies = Latencies::default();
        (0..=100).rev().for_each(|millis| latencies.add(Duration::from_millis(millis)));
        assert!((latencies.percentile(50.0) - 50.0).abs() < 1e-9);
        assert!((latencies.percentile(99.0) - 99.0).abs() < 1e-9);
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
