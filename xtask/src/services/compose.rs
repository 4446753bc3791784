//! The same services as containers, where a Docker Compose engine answers. One broker only. Not yet tried on a machine with Docker.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{
    place::Place,
    seaweed::{self, Credentials},
    service::ServiceName,
    state::State,
};
use crate::run;

/// Whether both the Compose plugin and an engine are there; the client alone is not enough.
pub fn answers() -> bool {
    let succeeds = |arguments: &[&str]| {
        let status = Command::new("docker").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    succeeds(&["compose", "version"]) && succeeds(&["info"])
}

pub fn start(place: &Place, state: &State, wanted: &impl Fn(ServiceName) -> bool) -> Result<()> {
    run::status(docker(place, state)?.args(["up", "--detach"]).args(names(state, wanted)))
}

pub fn stop(place: &Place, state: &State, wanted: &impl Fn(ServiceName) -> bool) -> Result<()> {
    run::status(docker(place, state)?.arg("stop").args(names(state, wanted)))
}

pub fn kill(place: &Place, state: &State, wanted: &impl Fn(ServiceName) -> bool) -> Result<()> {
    run::status(docker(place, state)?.arg("kill").args(names(state, wanted)))
}

pub fn remove(place: &Place, state: &State) -> Result<()> {
    run::status(docker(place, state)?.args(["down", "--volumes"]))
}

pub fn create_bucket(place: &Place, state: &State) -> Result<()> {
    let mut shell = docker(place, state)?;
    shell.args(["exec", "--no-TTY", name(ServiceName::S3), "weed", "shell"]);
    seaweed::create_bucket_with(&mut shell)
}

/// The last lines that a container printed, to stand in an error.
pub fn last_lines(place: &Place, state: &State, service: ServiceName) -> Result<String> {
    let output = docker(place, state)?.args(["logs", "--tail", "15", name(service)]).output().context("no `docker`")?;
    Ok(format!("its last lines:\n{}", String::from_utf8_lossy(&output.stdout)))
}

/// Ports and keys reach the file through the environment, so that no key is on a command line.
fn docker(place: &Place, state: &State) -> Result<Command> {
    let keys = Credentials::load(place)?;
    let broker = state.brokers().next().context("the state has no broker")?;
    let mut docker = Command::new("docker");
    docker
        .args(["compose", "--project-name", &format!("custody-{}", state.cluster.to_lowercase()), "--file"])
        .arg(run::root().join("docker-compose.services.yml"))
        .env("CUSTODY_KAFKA_PORT", broker.port("client")?.to_string())
        .env("CUSTODY_S3_PORT", state.store()?.main_port()?.to_string())
        .env("CUSTODY_S3_ACCESS_KEY", keys.access_key)
        .env("CUSTODY_S3_SECRET_KEY", keys.secret_key);
    Ok(docker)
}

fn names(state: &State, wanted: &impl Fn(ServiceName) -> bool) -> impl Iterator<Item = &'static str> {
    state.services.iter().map(|service| service.name).filter(|name| wanted(*name)).map(name)
}

fn name(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Kafka(_) => "kafka",
        ServiceName::S3 => "s3",
        // Not among the containers; a state that names it was made by hand, and Docker says that there is none.
        ServiceName::Kms => "kms",
    }
}
