//! Services for the time of a test run: used if they are up, started and taken down again if they are not.

use anyhow::{Result, bail};

use super::{
    compose,
    environment::Environment,
    install,
    instance::Instance,
    options::Wishes,
    place::Place,
    state::{Engine, State},
};
use crate::run;

/// Services that are up and healthy.
pub struct Running {
    pub environment: Environment,
    /// Whether they are there because of this call, and may go with it.
    pub started_here: bool,
}

/// Runs the work with the services in the target folder, and takes them down afterwards if they were not up before.
pub fn with_services<T>(work: impl FnOnce(&Environment) -> Result<T>) -> Result<T> {
    // Tests want the protected listeners, which the containers do not have.
    let running = up(Place::new(None)?, &Wishes { as_processes: true, ..Wishes::default() })?;
    let result = work(&running.environment);
    if !running.started_here {
        return result;
    }
    let ended = down(Place::new(None)?);
    // What the work failed with matters more than what was left behind.
    result.and_then(|value| ended.map(|()| value))
}

/// Starts what isn't up, and makes the bucket and `env.sh`.
pub fn up(place: Place, wishes: &Wishes) -> Result<Running> {
    let _lock = place.lock()?;
    match State::load(&place)? {
        Some(state) => resume(Instance { place, state }, wishes),
        None => begin(place, wishes),
    }
}

/// Stops the services and removes all that they wrote.
pub fn down(place: Place) -> Result<()> {
    let _lock = place.lock()?;
    Instance::open(place)?.remove()?.remove_logs()
}

fn resume(mut instance: Instance, wishes: &Wishes) -> Result<Running> {
    let brokers = instance.state.brokers().count();
    if wishes.brokers.is_some_and(|wanted| usize::from(wanted) != brokers) {
        bail!("services with {brokers} broker(s) are there already; take them down first or name another folder with --dir");
    }
    let (_, all_healthy) = instance.report()?;
    run::say(if all_healthy { "services: already up" } else { "services: starting again what isn't up" });
    let environment = make_ready(&mut instance)?;
    Ok(Running { environment, started_here: false })
}

fn begin(place: Place, wishes: &Wishes) -> Result<Running> {
    let brokers = wishes.brokers.unwrap_or(1);
    let in_containers = brokers == 1 && !wishes.as_processes && compose::answers();
    let engine = if in_containers { Engine::Compose } else { Engine::Processes };
    if engine == Engine::Processes {
        install::all(&place)?;
    }
    let mut instance = Instance::create(place, brokers, engine)?;
    match make_ready(&mut instance) {
        Ok(environment) => Ok(Running { environment, started_here: true }),
        Err(error) => {
            // Other ports may do better next time. The logs stay, because the error names them.
            if let Err(left) = instance.remove() {
                run::say(&format!("services: not everything could be removed: {left:#}"));
            }
            Err(error)
        }
    }
}

fn make_ready(instance: &mut Instance) -> Result<Environment> {
    instance.start(|_| true)?;
    instance.create_bucket()?;
    let environment = Environment::of(&instance.place, &instance.state)?;
    environment.write(&instance.place)?;
    Ok(environment)
}
