//! Real clients against the real binary: the stock `openai` and `boto3` Python clients, from PyPI; and the real binary as a client of a
//! wire-level Bedrock.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::run;

/// One script for each client.
const SCRIPTS: [&str; 2] = ["openai_client.py", "boto3_client.py"];

/// Starts `custody up` on free ports in an empty folder, and runs each client against it.
pub fn run(binary: &Path) -> Result<()> {
    let scratch = run::target_dir()?.join("client-tests");
    let python = prepare_python(&scratch)?;
    let data = scratch.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let mut up = Up::start(binary, &data)?;
    let result = SCRIPTS.iter().try_for_each(|script| {
        let script = run::root().join("tests/clients").join(script);
        run::status(Command::new(&python).arg(script).env("CUSTODY_URL", &up.url).env("CUSTODY_KEY", &up.key))
    });
    up.stop()?;
    result?;
    let scripts = ["outcomes.py", "lookups.py"].map(|script| run::root().join("tests/bedrock").join(script));
    scripts.iter().try_for_each(|script| run::status(Command::new(&python).arg(script).arg(binary)))
}

/// A virtual environment with the pinned clients; made once for each list of pins.
fn prepare_python(scratch: &Path) -> Result<std::path::PathBuf> {
    let venv = scratch.join("venv");
    let python = venv.join("bin/python");
    let pins = run::root().join("tests/clients/requirements.txt");
    let installed = venv.join("requirements.txt");
    if std::fs::read(&pins).ok() != std::fs::read(&installed).ok() || !python.exists() {
        std::fs::create_dir_all(scratch)?;
        run::status(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .context("the client tests need python3 with venv (apt-get install python3-venv)")?;
        run::status(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&pins))?;
        std::fs::copy(&pins, &installed)?;
    }
    Ok(python)
}

/// A running `custody up`.
struct Up {
    child: Child,
    url: String,
    key: String,
}

impl Up {
    fn start(binary: &Path, data: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{}` could not be started", binary.display()))?;
        let output = child.stdout.take().context("no output")?;
        let (mut url, mut key) = (None, None);
        for line in BufReader::new(output).lines() {
            let line = line?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["gateway", address] => url = Some((*address).trim_end_matches("/v1").to_owned()),
                ["key", "acme", secret, ..] => key = Some((*secret).to_owned()),
                _ => {}
            }
            if let (Some(url), Some(key)) = (&url, &key) {
                return Ok(Self { child, url: url.clone(), key: key.clone() });
            }
        }
        bail!("`custody up` ended before it printed its address and key")
    }

    fn stop(&mut self) -> Result<()> {
        run::status(Command::new("kill").args(["-INT", &self.child.id().to_string()]))?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("`custody up` ended with {status} after an interrupt");
        }
        Ok(())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
