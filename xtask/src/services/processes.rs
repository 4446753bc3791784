//! Processes that outlive the task that started them, found again by pid and start time and ended by nothing else.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// How often a wait looks again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the kernel may take to end a killed process.
const KILL_PATIENCE: Duration = Duration::from_secs(20);
const LINES_QUOTED: usize = 15;

/// A process that can't be mistaken for a later one with the same pid.
#[derive(Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// The kernel's boot id and the process's start in ticks since that boot.
    pub started: String,
}

/// What a process can be sent.
#[derive(Clone, Copy)]
pub enum Signal {
    Terminate,
    Kill,
}

/// How a process that was sent a signal came to its end.
#[derive(PartialEq, Eq)]
pub enum Ending {
    InTime,
    Killed,
}

impl Process {
    /// Starts a program in a process group of its own, so that a terminal's signals don't reach it, with its words in a file.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let folder = log.parent().context("a log file has a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let output = File::options().create(true).append(true).open(log)?;
        let errors = output.try_clone()?;
        let name = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .with_context(|| format!("`{}` could not be started", name.display()))?;
        let pid = child.id();
        let stat = read_stat(pid).with_context(|| format!("process {pid} is not in /proc, which services need to find it again"))?;
        Ok(Self { pid, started: stat.started })
    }

    /// Whether this very process still runs; one that ended and was not yet collected by its parent does not.
    pub fn is_alive(&self) -> bool {
        read_stat(self.pid).is_some_and(|stat| stat.started == self.started && !["Z", "X"].contains(&stat.state.as_str()))
    }

    /// Sends a signal, unless the process has ended, without waiting for what comes of it.
    pub fn send(&self, signal: Signal) -> Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        let sent = Command::new("kill").args([signal.option(), "--", &self.pid.to_string()]).stderr(Stdio::null()).status();
        let sent = sent.context("`kill` could not be started: `apt-get install procps`")?;
        if !sent.success() && self.is_alive() {
            bail!("process {} could not be sent {}", self.pid, signal.option());
        }
        Ok(())
    }

    /// Waits for the end of a process that was sent a signal; kills it after the grace time.
    pub fn end_within(&self, grace: Duration) -> Result<Ending> {
        if waits_until(grace, || !self.is_alive()) {
            return Ok(Ending::InTime);
        }
        self.send(Signal::Kill)?;
        if !waits_until(KILL_PATIENCE, || !self.is_alive()) {
            bail!("process {} is still there after SIGKILL", self.pid);
        }
        Ok(Ending::Killed)
    }
}

impl Signal {
    fn option(self) -> &'static str {
        match self {
            Self::Terminate => "-TERM",
            Self::Kill => "-KILL",
        }
    }
}

/// Looks again and again until the condition holds; whether it came to hold.
pub fn waits_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let looks = patience.as_millis() / PAUSE.as_millis();
    for _ in 0..looks {
        if condition() {
            return true;
        }
        sleep(PAUSE);
    }
    condition()
}

/// The last lines of a log, to stand in an error.
pub fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LINES_QUOTED);
    let quoted: Vec<String> = lines.iter().skip(skipped).map(|line| format!("  | {line}")).collect();
    format!("the last lines of {}:\n{}", log.display(), quoted.join("\n"))
}

struct Stat {
    state: String,
    started: String,
}

/// `/proc/<pid>/stat` is `pid (name) state …`; the name may hold anything, the 22nd field is the start time (proc(5)).
fn read_stat(pid: u32) -> Option<Stat> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?.to_owned();
    let ticks = fields.nth(18)?;
    Some(Stat { state, started: format!("{}/{ticks}", boot.trim()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("custody-xtask-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_process_is_stopped() {
        let path = log("stopped");
        let process = Process::start(Command::new("sleep").arg("600"), &path).unwrap();
        assert!(process.is_alive());
        process.send(Signal::Terminate).unwrap();
        assert!(process.end_within(KILL_PATIENCE).unwrap() == Ending::InTime);
        assert!(!process.is_alive());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_process_that_does_not_listen_is_killed() {
        let path = log("deaf");
        let process = Process::start(Command::new("sh").args(["-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"]), &path).unwrap();
        assert!(waits_until(KILL_PATIENCE, || last_lines(&path).contains("| deaf")));
        process.send(Signal::Terminate).unwrap();
        assert!(process.end_within(PAUSE).unwrap() == Ending::Killed);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_later_process_with_the_same_pid_is_left_alone() {
        let path = log("foreign");
        let foreign = Process::start(Command::new("sleep").arg("600"), &path).unwrap();
        let ours_before = Process { pid: foreign.pid, started: "another-boot/1".to_owned() };
        assert!(!ours_before.is_alive());
        ours_before.send(Signal::Terminate).unwrap();
        ours_before.send(Signal::Kill).unwrap();
        assert!(foreign.is_alive());
        foreign.send(Signal::Kill).unwrap();
        fs::remove_file(path).unwrap();
    }
}
