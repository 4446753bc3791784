//! Processor time of a process, thread by thread and to the nanosecond: `/proc/<pid>/stat` counts hundredths of a second, which is
//! more than all requests of a short paced run take.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// The unit of process times in `/proc`: Linux fixes `USER_HZ` at 100 on every architecture that this program runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds that each thread of a process, and of its children (nginx has workers), has run. A thread that ends between two looks
/// takes with it what it did since the first.
#[derive(Debug)]
pub struct ThreadSeconds(BTreeMap<String, f64>);

impl ThreadSeconds {
    pub fn of(pid: u32) -> Result<Self> {
        let mut seconds = BTreeMap::new();
        add_process(pid, &mut seconds)?;
        for child in children(pid) {
            add_process(child, &mut seconds)?;
        }
        Ok(Self(seconds))
    }

    /// What was used since an earlier look.
    pub fn since(&self, earlier: &Self) -> f64 {
        self.0.iter().map(|(thread, now)| now - earlier.0.get(thread).copied().unwrap_or(0.0)).sum()
    }
}

/// A kernel without the scheduler's statistics still tells the process's ticks.
fn add_process(pid: u32, seconds: &mut BTreeMap<String, f64>) -> Result<()> {
    let before = seconds.len();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid} is gone"))? {
        let folder = thread?.path();
        if let Some(nanos) = run_nanos(&folder) {
            seconds.insert(folder.display().to_string(), nanos / 1e9);
        }
    }
    if seconds.len() == before {
        seconds.insert(pid.to_string(), own_cpu_seconds(pid)?);
    }
    Ok(())
}

/// The first number of `schedstat`. A thread that has just ended has none.
fn run_nanos(thread: &std::path::Path) -> Option<f64> {
    std::fs::read_to_string(thread.join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
}

/// Processor seconds, user and system, of a process and of its living children, in hundredths.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut seconds = own_cpu_seconds(pid)?;
    if pid != std::process::id() {
        for child in children(pid) {
            seconds += own_cpu_seconds(child)?;
        }
    }
    Ok(seconds)
}

fn children(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

fn own_cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).context("unexpected form of /proc/<pid>/stat")?;
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn a_thread_that_works_is_seen_and_one_that_sleeps_is_not() {
        let before = ThreadSeconds::of(std::process::id()).unwrap();
        let until = Instant::now() + Duration::from_millis(200);
        let mut sum = 0_u64;
        while Instant::now() < until {
            sum = std::hint::black_box(sum + 1);
        }
        let worked = ThreadSeconds::of(std::process::id()).unwrap().since(&before);
        assert!(worked > 0.01, "{worked}");
        let mut sleeper = std::process::Command::new("sleep").arg("5").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let before = ThreadSeconds::of(sleeper.id()).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let slept = ThreadSeconds::of(sleeper.id()).unwrap().since(&before);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert!(slept < 0.01, "{slept}");
    }
}
