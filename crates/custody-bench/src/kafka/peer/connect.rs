//! The process: a standalone Connect worker with one sink, told by files and asked over its REST interface.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use custody_event::EVENT_SCHEMA_JSON;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{Load, settings};
use crate::measure::Meter;

const START_PATIENCE: Duration = Duration::from_secs(120);
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);
const LINES_QUOTED: usize = 15;

/// A worker with its files; it ends with this value.
#[derive(Debug)]
pub struct Connect {
    class_path: String,
    folder: PathBuf,
    name: String,
    address: SocketAddr,
    child: Option<Child>,
}

impl Connect {
    /// Writes the worker's files into a folder and makes the empty table.
    pub fn prepare(installed: &Path, folder: &Path, load: &Load<'_>) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let class_path = format!("{}:{}", installed.join("jars/*").display(), installed.join("classes").display());
        let name = format!("{}.sink", load.topic);
        let files = [
            (settings::SCHEMA, EVENT_SCHEMA_JSON.to_owned()),
            (settings::LOGGING, settings::logging()),
            (settings::WORKER, settings::worker(folder, address, load)),
            (settings::SINK, settings::sink(folder, &name, load)),
        ];
        for (file, text) in files {
            fs::write(folder.join(file), text).with_context(|| format!("cannot write `{file}`"))?;
        }
        let connect = Self { class_path, folder: folder.to_owned(), name, address, child: None };
        connect.make_table()?;
        Ok(connect)
    }

    /// Starts the process and its clock.
    pub fn start(&mut self) -> Result<Meter> {
        let mut java = self.java("org.apache.kafka.connect.cli.ConnectStandalone")?;
        java.arg(self.folder.join(settings::WORKER)).arg(self.folder.join(settings::SINK));
        let child = java.spawn().context("`java` could not be started")?;
        let meter = Meter::start_of(child.id());
        self.child = Some(child);
        meter
    }

    /// Until every task is ready for its first read.
    pub async fn wait_for_tasks(&mut self) -> Result<()> {
        let began = Instant::now();
        while self.running_tasks().await? < settings::TASKS {
            ensure!(began.elapsed() < START_PATIENCE, "Kafka Connect did not start its tasks; {}", self.last_words());
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// How many tasks run; an error once one has failed or the process has ended.
    pub async fn running_tasks(&mut self) -> Result<usize> {
        if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().transpose()).transpose()? {
            bail!("Kafka Connect ended with {status}; {}", self.last_words());
        }
        // Before the worker listens there is no answer, and before it has read its files none with tasks.
        let Ok(status) = self.status().await else { return Ok(0) };
        let tasks = status.get("tasks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let state = |task: &Value| task.get("state").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(failed) = tasks.iter().find(|task| state(task) == "FAILED") {
            let trace = failed.get("trace").and_then(Value::as_str).unwrap_or_default();
            bail!("a task of Kafka Connect failed: {trace}");
        }
        Ok(tasks.iter().filter(|task| state(task) == "RUNNING").count())
    }

    pub fn pid(&self) -> Result<u32> {
        self.child.as_ref().map(Child::id).context("Kafka Connect was not started")
    }

    /// The most memory that the process ever had resident, in MiB.
    pub fn peak_resident_mib(&self) -> f64 {
        let status = self.pid().and_then(|pid| Ok(fs::read_to_string(format!("/proc/{pid}/status"))?)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    /// What it printed last, to stand in an error.
    pub fn last_words(&self) -> String {
        let text =
            fs::read(self.folder.join(settings::OUTPUT)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LINES_QUOTED)..).unwrap_or_default();
        format!("its last words:\n{}", last.join("\n"))
    }

    fn make_table(&self) -> Result<()> {
        let mut java = self.java("EventConverter")?;
        java.arg(self.folder.join(settings::SCHEMA)).arg(self.folder.join(super::table::WAREHOUSE)).args(settings::TABLE_PROPERTIES);
        let status = java.status().context("`java` could not be started")?;
        ensure!(status.success(), "the Iceberg table could not be made; {}", self.last_words());
        Ok(())
    }

    fn java(&self, class: &str) -> Result<Command> {
        let output = File::options().create(true).append(true).open(self.folder.join(settings::OUTPUT))?;
        let errors = output.try_clone()?;
        let mut java = Command::new("java");
        java.args(settings::JAVA_OPTIONS)
            .arg(format!("-Dlog4j2.configurationFile={}", self.folder.join(settings::LOGGING).display()))
            .args(["-cp", &self.class_path, class])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        Ok(java)
    }

    async fn status(&self) -> Result<Value> {
        let path = format!("/connectors/{}/status", self.name);
        let answer = timeout(ANSWER_PATIENCE, self.get(&path)).await??;
        Ok(serde_json::from_str(&answer)?)
    }

    /// HTTP 1.0, so that the answer ends with its connection and comes in one piece.
    async fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("not an HTTP answer")?;
        Ok(body.to_owned())
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
