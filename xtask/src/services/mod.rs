//! Real parts for tests: Apache Kafka, an S3 store and a key service, on free loopback ports, kept apart from anything else on the machine.

mod certificates;
mod compose;
mod environment;
mod install;
mod instance;
mod kafka;
mod kafka_access;
mod kafka_probe;
mod moto;
mod options;
mod place;
mod ports;
mod processes;
mod random;
mod running;
mod seaweed;
mod service;
mod state;

use std::path::PathBuf;

use anyhow::{Result, bail};

pub use self::{environment::Environment, running::with_services};
use self::{
    instance::{CLEAN_END, Instance},
    options::{Options, Verb, Wishes},
    place::Place,
    service::{Selection, ServiceName},
};
use crate::run;

const HELP: &str = "\
cargo xtask services <command> [--dir FOLDER]

  up [--brokers N] [--processes]   starts Apache Kafka, SeaweedFS S3 and Moto's KMS, waits until all are healthy, prints the environment
  down [--keep]                    stops what `up` started and removes it; --keep leaves data and ports for the next `up`
  status                           each service with pid and port; succeeds only if all are healthy
  env                              the environment for tests: eval \"$(cargo xtask services env)\"
  stop | start | kill SERVICE      one service, with the same ports and data; kill is SIGKILL. SERVICE: kafka, kafka:N, s3 or kms

One broker unless --brokers says otherwise; three give replication 3 and min.insync.replicas 2. Everything listens on 127.0.0.1
only, with S3 keys of its own. Each broker has three listeners: plain, SCRAM over TLS, and TLS with client certificates; their
certificates and password are in access/. Folder: <target dir>/services, with env.sh and logs/. Needs java 17, openssl 3, mvn and
python3-venv the first time, and fetches about 125 MB into <target dir>/services-cache. With one broker and a Docker Compose engine
that answers, docker-compose.services.yml is used instead, unless --processes is given; its broker has the plain listener only, and there
is no KMS.
";

pub fn run(arguments: &[String]) -> Result<()> {
    let Options { verb, dir } = Options::parse(arguments)?;
    let place = Place::new(dir.as_deref())?;
    match verb {
        Verb::Help => run::say(HELP),
        Verb::Up(wishes) => return up(place, &wishes),
        Verb::Down { keep: true } => return change(place, |instance| instance.stop(|_| true, CLEAN_END)),
        Verb::Down { keep: false } => return running::down(place),
        Verb::Status => return status(place),
        Verb::Environment => return environment(place),
        Verb::Stop(which) => return change(place, |instance| instance.stop(among(instance, which)?, CLEAN_END)),
        Verb::Start(which) => return change(place, |instance| instance.start(among(instance, which)?)),
        Verb::Kill(which) => return change(place, |instance| instance.kill(among(instance, which)?)),
    }
    Ok(())
}

/// The folder with Kafka Connect and its Iceberg sink, for `custody-bench`; fetched and compiled the first time.
pub fn peer() -> Result<PathBuf> {
    let place = Place::new(None)?;
    let _lock = place.lock()?;
    install::peer(&place)
}

fn up(place: Place, wishes: &Wishes) -> Result<()> {
    let file = place.environment_file();
    let running = running::up(place, wishes)?;
    run::say(&format!("services: up; the environment for tests is also in {}", file.display()));
    run::say(running.environment.script().trim_end());
    Ok(())
}

fn status(place: Place) -> Result<()> {
    let (lines, all_healthy) = Instance::open(place)?.report()?;
    run::say(lines.trim_end());
    if !all_healthy {
        bail!("not all services are healthy");
    }
    Ok(())
}

fn environment(place: Place) -> Result<()> {
    let instance = Instance::open(place)?;
    run::say(Environment::of(&instance.place, &instance.state)?.script().trim_end());
    Ok(())
}

fn change(place: Place, action: impl FnOnce(&mut Instance) -> Result<()>) -> Result<()> {
    let _lock = place.lock()?;
    action(&mut Instance::open(place)?)
}

/// The selected services, of which at least one must be there.
fn among(instance: &Instance, which: Selection) -> Result<impl Fn(ServiceName) -> bool + use<>> {
    if !instance.state.services.iter().any(|service| which.covers(service.name)) {
        bail!("there is no such service here; `cargo xtask services status` lists them");
    }
    Ok(move |name| which.covers(name))
}
