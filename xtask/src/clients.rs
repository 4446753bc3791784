//! Real clients against the real binary: the stock `openai` and `boto3` Python clients, from PyPI; and the real binary as a client of a
//! wire-level Bedrock: ours, and two that others wrote, from npm and PyPI.

mod certificate;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use self::certificate::Certificate;
use crate::{python, run};

/// Starts `custody up` on free ports in an empty folder, and runs each client against it: `openai` as it is started, and `boto3`, which
/// sends a key over HTTPS only, with a certificate.
pub fn run(binary: &Path) -> Result<()> {
    let scratch = run::target_dir()?.join("client-tests");
    let python = python::prepare(&scratch, &run::root().join("tests/clients/requirements.txt"))?;
    let data = scratch.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let plain = Up::start(binary, &data)?;
    let key = plain.key.clone().context("`custody up` printed no key")?;
    plain.run(script(&python, "openai_client.py").env("CUSTODY_KEY", &key))?;
    let certificate = Certificate::create(&scratch)?;
    certificate.name_in(&data.join("workspace/custody.toml"))?;
    let secured = Up::start(binary, &data)?;
    secured.run(script(&python, "boto3_client.py").env("CUSTODY_KEY", &key).env("AWS_CA_BUNDLE", certificate.file()))?;
    let bedrock = |name: &str| {
        let mut command = Command::new(&python);
        command.arg(run::root().join("tests/bedrock").join(name));
        command
    };
    // Those that check the checks need no program.
    run::status(&mut bedrock("test_judgement.py"))?;
    run::status(&mut bedrock("test_aimock_log.py"))?;
    run::status(bedrock("outcomes.py").arg(binary))?;
    run::status(bedrock("openai_sdk.py").arg(binary))?;
    run::status(bedrock("lookups.py").arg(binary))?;
    // The stubs of others are installed beside the clients, once for each list of pins.
    run::status(bedrock("second_stub.py").arg(binary).arg("--cache").arg(&scratch))?;
    run::status(bedrock("third_stub.py").arg(binary).arg("--cache").arg(&scratch))
}

fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(run::root().join("tests/clients").join(name));
    command
}

/// A running `custody up`.
struct Up {
    child: Child,
    url: String,
    /// Printed by the first start in a folder alone.
    key: Option<String>,
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
        let mut up = Self { child, url: String::new(), key: None };
        for line in BufReader::new(output).lines() {
            let line = line?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["gateway", address] => (*address).trim_end_matches("/v1").clone_into(&mut up.url),
                ["key", "acme", secret, ..] => up.key = Some((*secret).to_owned()),
                ["ready", ..] => return Ok(up),
                _ => {}
            }
        }
        bail!("`custody up` ended before it was ready")
    }

    /// Runs a client, then stops.
    fn run(mut self, client: &mut Command) -> Result<()> {
        let result = run::status(client.env("CUSTODY_URL", &self.url));
        self.stop()?;
        result
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
