//! What was started, in `services.json`, so that a later task finds it again and ends nothing else.
//!
//! ```text
//! {"version": 1, "engine": "processes", "cluster": "…", "credentials": "…/s3/credentials.json",
//!  "services": [{"name": "kafka:1", "ports": {"client": 21000, "controller": 21001},
//!                "process": {"pid": 4711, "started": "<boot id>/<ticks>"}}, …]}
//! ```

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    place::{Place, write_private},
    processes::Process,
    service::ServiceName,
};

const VERSION: u64 = 1;

/// One instance of the services.
pub struct State {
    pub engine: Engine,
    /// Kafka's cluster id; it also names the containers.
    pub cluster: String,
    pub services: Vec<Service>,
}

/// One service and, while it is meant to run as a process, that process.
#[derive(Clone)]
pub struct Service {
    pub name: ServiceName,
    pub ports: BTreeMap<String, u16>,
    pub process: Option<Process>,
}

/// What runs the services.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Processes,
    Compose,
}

impl State {
    /// The instance in that place, if there is one.
    pub fn load(place: &Place) -> Result<Option<Self>> {
        let path = place.state_file();
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let state = serde_json::from_str(&text).map_err(anyhow::Error::from).and_then(|value| Self::from_json(&value));
        state.map(Some).with_context(|| format!("{} is not a state of services", path.display()))
    }

    pub fn save(&self, place: &Place) -> Result<()> {
        let services: Vec<Value> = self.services.iter().map(Service::to_json).collect();
        let value = json!({
            "version": VERSION,
            "engine": self.engine.word(),
            "cluster": self.cluster,
            "credentials": place.credentials_file().display().to_string(),
            "services": services,
        });
        write_private(&place.state_file(), &format!("{value:#}\n"))
    }

    pub fn brokers(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(|service| matches!(service.name, ServiceName::Kafka(_)))
    }

    pub fn store(&self) -> Result<&Service> {
        self.services.iter().find(|service| service.name == ServiceName::S3).context("the state has no s3")
    }

    /// The key service, which containers do not have.
    pub fn key_service(&self) -> Option<&Service> {
        self.services.iter().find(|service| service.name == ServiceName::Kms)
    }

    fn from_json(value: &Value) -> Result<Self> {
        if value.get("version").and_then(Value::as_u64) != Some(VERSION) {
            bail!("its version is not {VERSION}");
        }
        let engine = Engine::from_word(text(value, "engine")?)?;
        let services = value.get("services").and_then(Value::as_array).context("`services` is missing")?;
        let services = services.iter().map(Service::from_json).collect::<Result<_>>()?;
        Ok(Self { engine, cluster: text(value, "cluster")?.to_owned(), services })
    }
}

impl Service {
    pub fn port(&self, of: &str) -> Result<u16> {
        self.ports.get(of).copied().with_context(|| format!("{} has no port `{of}`", self.name))
    }

    /// The port that tests use.
    pub fn main_port(&self) -> Result<u16> {
        match self.name {
            ServiceName::Kafka(_) => self.port("client"),
            ServiceName::S3 => self.port("s3"),
            ServiceName::Kms => self.port("kms"),
        }
    }

    pub fn is_alive(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_alive)
    }

    fn to_json(&self) -> Value {
        let process = self.process.as_ref().map(|process| json!({"pid": process.pid, "started": process.started}));
        json!({"name": self.name.to_string(), "ports": self.ports, "process": process})
    }

    fn from_json(value: &Value) -> Result<Self> {
        let ports = value.get("ports").and_then(Value::as_object).context("`ports` is missing")?;
        let ports = ports.iter().map(|(of, port)| Ok((of.clone(), number(port)?.try_into()?))).collect::<Result<_>>()?;
        let process = value.get("process").filter(|process| !process.is_null()).map(process_from_json).transpose()?;
        Ok(Self { name: text(value, "name")?.parse()?, ports, process })
    }
}

impl Engine {
    fn word(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Compose => "compose",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        let known = [Self::Processes, Self::Compose].into_iter().find(|engine| engine.word() == word);
        known.with_context(|| format!("`{word}` is not an engine"))
    }
}

fn process_from_json(value: &Value) -> Result<Process> {
    let pid = value.get("pid").context("`pid` is missing")?;
    Ok(Process { pid: number(pid)?.try_into()?, started: text(value, "started")?.to_owned() })
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("`{key}` is missing"))
}

fn number(value: &Value) -> Result<u64> {
    value.as_u64().with_context(|| format!("`{value}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_survives_the_state_file() {
        let process = Process { pid: 4711, started: "boot/12".to_owned() };
        let ports = BTreeMap::from([("client".to_owned(), 21_000)]);
        let service = Service { name: ServiceName::Kafka(2), ports: ports.clone(), process: Some(process.clone()) };
        let read = Service::from_json(&service.to_json()).unwrap();
        assert!(read.name == ServiceName::Kafka(2) && read.ports == ports && read.process == Some(process));
    }

    #[test]
    fn a_state_of_another_version_is_refused() {
        assert!(State::from_json(&json!({"version": 2})).is_err());
    }
}
