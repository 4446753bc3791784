//! One instance of the services: made, started, looked at, stopped and removed.

use std::{fmt::Write, time::Duration};

use anyhow::{Context, Result, bail};

use super::{
    compose, kafka,
    kafka::Kafka,
    kafka_access, moto,
    place::Place,
    ports,
    processes::{Ending, Process, Signal, last_lines, waits_until},
    random, seaweed,
    seaweed::Credentials,
    service::ServiceName,
    state::{Engine, Service, State},
};
use crate::run;

/// A first start on a busy machine takes ten seconds; after this something is wrong.
const START_PATIENCE: Duration = Duration::from_secs(90);
/// A broker hands over its partitions within a few seconds, and SeaweedFS takes fifteen to close.
pub const CLEAN_END: Duration = Duration::from_secs(30);
/// Enough where the data are removed anyway.
pub const QUICK_END: Duration = Duration::from_secs(3);

/// The services and their folders.
pub struct Instance {
    pub place: Place,
    pub state: State,
}

impl Instance {
    /// The instance in that place, which must be there.
    pub fn open(place: Place) -> Result<Self> {
        let state = State::load(&place)?;
        let state = state.with_context(|| format!("no services in {}; `cargo xtask services up` starts them", place.dir().display()))?;
        Ok(Self { place, state })
    }

    /// A new instance with ports and keys of its own; nothing runs yet.
    pub fn create(place: Place, brokers: u16, engine: Engine) -> Result<Self> {
        if place.holds_other_things() {
            bail!("{} is not empty and holds no services; name another folder with --dir", place.dir().display());
        }
        Credentials::create(&place)?;
        if engine == Engine::Processes {
            kafka_access::create(&place)?;
        }
        // Kafka wants 16 bytes in base64url: 22 characters, of which the last has only two bits.
        let cluster = format!("C{}A", random::hex::<10>()?);
        let state = State { engine, cluster, services: plan(brokers, engine)? };
        state.save(&place)?;
        Ok(Self { place, state })
    }

    /// Starts those that don't run and waits until all the wanted are healthy.
    pub fn start(&mut self, wanted: impl Fn(ServiceName) -> bool) -> Result<()> {
        match self.state.engine {
            Engine::Compose => compose::start(&self.place, &self.state, &wanted)?,
            Engine::Processes => self.start_processes(&wanted)?,
        }
        self.state.services.iter().filter(|service| wanted(service.name)).try_for_each(|service| self.wait_for(service))
    }

    pub fn create_bucket(&self) -> Result<()> {
        match self.state.engine {
            Engine::Compose => compose::create_bucket(&self.place, &self.state),
            Engine::Processes => seaweed::create_bucket(&self.place, self.state.store()?),
        }
    }

    /// Asks the wanted to end, all at once, and kills what takes longer than the grace time.
    pub fn stop(&mut self, wanted: impl Fn(ServiceName) -> bool, grace: Duration) -> Result<()> {
        if self.state.engine == Engine::Compose {
            return compose::stop(&self.place, &self.state, &wanted);
        }
        let processes = self.running(&wanted)?;
        processes.iter().try_for_each(|(_, process)| process.send(Signal::Terminate))?;
        for (name, process) in processes {
            let ending = process.end_within(grace)?;
            let how = if ending == Ending::Killed { format!("killed after {} s", grace.as_secs()) } else { "stopped".to_owned() };
            run::say(&format!("services: {name} (pid {}) {how}", process.pid));
            self.record(name, None)?;
        }
        Ok(())
    }

    /// Ends the wanted at once and together, as a power failure would.
    pub fn kill(&mut self, wanted: impl Fn(ServiceName) -> bool) -> Result<()> {
        if self.state.engine == Engine::Compose {
            return compose::kill(&self.place, &self.state, &wanted);
        }
        let processes = self.running(&wanted)?;
        processes.iter().try_for_each(|(_, process)| process.send(Signal::Kill))?;
        for (name, process) in processes {
            process.end_within(CLEAN_END)?;
            run::say(&format!("services: {name} (pid {}) killed", process.pid));
            self.record(name, None)?;
        }
        Ok(())
    }

    /// Stops everything and removes what it wrote, except the logs.
    pub fn remove(mut self) -> Result<Place> {
        self.stop(|_| true, QUICK_END)?;
        if self.state.engine == Engine::Compose {
            compose::remove(&self.place, &self.state)?;
        }
        seaweed::remove_sockets(self.state.store()?);
        self.place.remove_data(self.state.services.iter().map(|service| service.name))?;
        Ok(self.place)
    }

    /// A line for each service, and whether all are healthy.
    pub fn report(&self) -> Result<(String, bool)> {
        let (mut lines, mut all_healthy) = (String::new(), true);
        for service in &self.state.services {
            let healthy = self.is_healthy(service);
            all_healthy &= healthy;
            let pid = service.process.as_ref().map_or_else(|| "-".to_owned(), |process| process.pid.to_string());
            let verdict = match (healthy, service.is_alive() || self.state.engine == Engine::Compose) {
                (true, _) => "healthy",
                (false, true) => "not healthy",
                (false, false) => "not running",
            };
            writeln!(lines, "{:<9} pid {pid:<8} 127.0.0.1:{}  {verdict}", service.name.to_string(), service.main_port()?)?;
        }
        Ok((lines, all_healthy))
    }

    fn start_processes(&mut self, wanted: &impl Fn(ServiceName) -> bool) -> Result<()> {
        let ended: Vec<Service> = self.state.services.iter().filter(|one| wanted(one.name) && !one.is_alive()).cloned().collect();
        if ended.is_empty() {
            return Ok(());
        }
        let kafka = Kafka::install(&self.place)?;
        for service in ended {
            let mut command = match service.name {
                ServiceName::Kafka(_) => kafka.command(&self.place, &self.state, &service)?,
                ServiceName::S3 => seaweed::command(&self.place, &service)?,
                ServiceName::Kms => moto::command(&self.place, &service)?,
            };
            let process = Process::start(&mut command, &self.place.log_file(service.name))?;
            run::say(&format!("services: {} starts (pid {})", service.name, process.pid));
            self.record(service.name, Some(process))?;
        }
        Ok(())
    }

    /// Written after each start and each end, so that a task that is broken off leaves no process behind that nobody knows.
    fn record(&mut self, name: ServiceName, process: Option<Process>) -> Result<()> {
        self.state.services.iter_mut().filter(|service| service.name == name).for_each(|service| service.process.clone_from(&process));
        self.state.save(&self.place)
    }

    /// The wanted that run. Those that ended by themselves are struck off, whoever has their pids now.
    fn running(&mut self, wanted: &impl Fn(ServiceName) -> bool) -> Result<Vec<(ServiceName, Process)>> {
        let services = self.state.services.iter().filter(|service| wanted(service.name));
        let known: Vec<_> = services.map(|service| (service.name, service.process.clone())).collect();
        let mut running = Vec::new();
        for (name, process) in known {
            match process.filter(Process::is_alive) {
                Some(process) => running.push((name, process)),
                None => {
                    run::say(&format!("services: {name} does not run"));
                    self.record(name, None)?;
                }
            }
        }
        Ok(running)
    }

    fn wait_for(&self, service: &Service) -> Result<()> {
        let mut ended = false;
        let answered = waits_until(START_PATIENCE, || {
            ended = self.state.engine == Engine::Processes && !service.is_alive();
            ended || self.is_healthy(service)
        });
        if answered && !ended {
            return Ok(());
        }
        let words = match self.state.engine {
            Engine::Compose => compose::last_lines(&self.place, &self.state, service.name)?,
            Engine::Processes => last_lines(&self.place.log_file(service.name)),
        };
        let what = if ended { "ended while it started".to_owned() } else { format!("isn't healthy after {START_PATIENCE:?}") };
        bail!("{} {what}; {words}", service.name)
    }

    fn is_healthy(&self, service: &Service) -> bool {
        let runs = self.state.engine == Engine::Compose || service.is_alive();
        let answer = match service.name {
            ServiceName::Kafka(_) => kafka::is_healthy(service),
            ServiceName::S3 => seaweed::is_healthy(service),
            ServiceName::Kms => moto::is_healthy(service),
        };
        runs && answer.unwrap_or(false)
    }
}

/// The store first, because it starts while Kafka formats its folders.
fn plan(brokers: u16, engine: Engine) -> Result<Vec<Service>> {
    let nodes = (1..=brokers).map(ServiceName::Kafka);
    let beside = match engine {
        Engine::Processes => vec![ServiceName::S3, ServiceName::Kms],
        Engine::Compose => vec![ServiceName::S3],
    };
    let names: Vec<ServiceName> = beside.into_iter().chain(nodes).collect();
    let mut free = ports::free(names.iter().map(|name| port_names(*name, engine).len()).sum())?.into_iter();
    let service = |name: ServiceName| {
        let ports = port_names(name, engine).iter().map(|of| (*of).to_owned()).zip(&mut free).collect();
        Service { name, ports, process: None }
    };
    Ok(names.into_iter().map(service).collect())
}

/// A container shows only the port that tests use.
fn port_names(name: ServiceName, engine: Engine) -> &'static [&'static str] {
    match (name, engine) {
        (ServiceName::Kafka(_), Engine::Processes) => &kafka::PORTS,
        (ServiceName::Kafka(_), Engine::Compose) => &["client"],
        (ServiceName::S3, Engine::Processes) => &seaweed::PORTS,
        (ServiceName::S3, Engine::Compose) => &["s3"],
        (ServiceName::Kms, Engine::Processes | Engine::Compose) => &["kms"],
    }
}
