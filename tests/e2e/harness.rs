//! Starts the built binary and asks it questions.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::Value;

/// The binary beside this test's own: `target/<profile>/custody`.
pub fn custody() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("custody");
    assert!(binary.exists(), "{} is missing: run `cargo build --workspace --all-targets` first", binary.display());
    binary
}

/// A running `custody up`.
pub struct Up {
    child: Child,
    pub address: String,
    /// Keys by tenant, printed only by the first start in a folder.
    pub keys: Vec<(String, String)>,
}

impl Up {
    /// Starts on a free port and waits until it says that it is up.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, |_| {})
    }

    /// The same, with options or variables of its own.
    pub fn start_with(data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(custody());
        command.args(["up", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).stdout(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = child.stdout.take().unwrap();
        std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let (mut address, mut keys) = (None, Vec::new());
        loop {
            let line = lines.recv_timeout(Duration::from_secs(60)).expect("`custody up` says when it is ready");
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["gateway", url] => address = Some(url.trim_start_matches("http://").trim_end_matches("/v1").to_owned()),
                ["key", tenant, secret, ..] => keys.push(((*tenant).to_owned(), (*secret).to_owned())),
                ["ready", ..] => break,
                _ => {}
            }
        }
        Self { child, address: address.expect("an address"), keys }
    }

    pub fn key(&self, tenant: &str) -> String {
        self.keys.iter().find(|(name, _)| name == tenant).map(|(_, key)| key.clone()).unwrap()
    }

    /// What it says on standard error, where that was piped.
    pub fn errors(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    pub fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Interrupts it as Ctrl-C does; it must end by itself with success.
    pub fn stop(mut self) {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process that was told to halt at a named place says that it is there, before it ends.
pub fn comes_to(errors: ChildStderr, point: &str) -> bool {
    let wanted = format!("halted at {point}");
    BufReader::new(errors).lines().map_while(Result::ok).any(|line| line == wanted)
}

/// Sends one request over a fresh connection; returns the whole response as text.
pub fn post_chat(address: &str, key: &str, body: &Value) -> String {
    let body = body.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

pub fn header<'r>(response: &'r str, name: &str) -> &'r str {
    let prefix = format!("{name}: ");
    response.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no header {name} in:\n{response}")).trim()
}

/// Asks in SQL; one JSON object a row.
pub fn sql(data: &Path, question: &str) -> Vec<Value> {
    let output =
        Command::new(custody()).args(["sql", "--format", "json", "--limit", "0", "--data-dir"]).arg(data).arg(question).output().unwrap();
    assert!(output.status.success(), "{question}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The one number that a question answers with.
pub fn number(data: &Path, question: &str) -> i64 {
    let rows = sql(data, question);
    rows[0].as_object().unwrap().values().next().unwrap().as_i64().unwrap()
}
