//! Asks OpenAI-compatible servers how they are, beside the requests: whether one is there, which of the routes' models it lists, how
//! busy it says it is (PAT-04). What is found stands at `/metrics` and, where it changes, in the log; no request waits for it, and
//! none is turned away for it.
//!
//! ```text
//! start ─▶ ask ─▶ note ─▶ wait probe_seconds ─┐      one task for each provider with `probe = true`
//!           ▲─────────────────────────────────┘      stop: the question under way is dropped
//! ```

mod change;
mod figures;
mod seen;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use custody_model::OpenAiCompatible;
use custody_types::{Clock, ModelName, RouteName, SensitiveText, Text};
use tokio::{sync::watch, task::JoinHandle};

use self::{
    change::Change,
    seen::{Health, Seen},
};
use crate::{
    gateway::MoreMetrics,
    models::{self, BuildModelsError},
    workspace::{OpenAiProvider, ProbeRule, ProviderKind, SecretReference, Workspace},
};

/// A server that lists its models takes milliseconds; one that takes longer than this would not answer a caller either.
const PATIENCE: Duration = Duration::from_secs(5);

/// The running questions. Dropped, they stop too.
pub struct Probes {
    health: Arc<Health>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// One provider that is asked.
struct Probe {
    provider: Text,
    server: OpenAiCompatible,
    rule: ProbeRule,
    patience: Duration,
    routes: BTreeMap<RouteName, ModelName>,
    seen: Arc<Seen>,
    clock: Arc<dyn Clock>,
}

impl Probes {
    /// Starts asking every provider of the workspace that has a route and `probe = true`. `secret` reads what a reference names.
    ///
    /// # Errors
    /// The first provider that cannot be used.
    pub fn start(
        workspace: &Workspace,
        clock: &Arc<dyn Clock>,
        secret: impl Fn(&SecretReference) -> Result<SensitiveText, String>,
    ) -> Result<Self, BuildModelsError> {
        let (stop, stopped) = watch::channel(false);
        let (mut health, mut tasks) = (Health::default(), Vec::new());
        for (provider, (server, rule)) in probed(workspace) {
            // Connections of its own: a question neither waits for a call's nor keeps one from it.
            let client = models::openai(workspace, server, &secret);
            let client = client.map_err(|problem| BuildModelsError { provider: provider.clone(), problem })?;
            let seen = Arc::new(Seen::default());
            health.insert(provider.clone(), Arc::clone(&seen));
            let routes = routes_of(workspace, &provider);
            let probe = Probe { provider, server: client, rule, patience: PATIENCE, routes, seen, clock: Arc::clone(clock) };
            tasks.push(tokio::spawn(probe.run(stopped.clone())));
        }
        Ok(Self { health: Arc::new(health), stop, tasks })
    }

    /// What `/metrics` shows: these figures behind the others.
    #[must_use]
    pub fn beside(&self, more: MoreMetrics) -> MoreMetrics {
        let health = Arc::clone(&self.health);
        Arc::new(move || {
            let mut text = more();
            text.push_str(&figures::of(&health));
            text
        })
    }

    /// Stops asking.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "the questions to a provider ended abnormally");
            }
        }
    }
}

fn probed(workspace: &Workspace) -> BTreeMap<Text, (&OpenAiProvider, ProbeRule)> {
    let routes = workspace.routes.values();
    let probed = routes.filter_map(|route| match &route.provider {
        ProviderKind::OpenAiCompatible(server) => Some((route.provider_name.clone(), (server, server.probe?))),
        ProviderKind::Simulator | ProviderKind::Bedrock(_) => None,
    });
    probed.collect()
}

fn routes_of(workspace: &Workspace, provider: &str) -> BTreeMap<RouteName, ModelName> {
    let routes = workspace.routes.values().filter(|route| &*route.provider_name == provider);
    routes.map(|route| (route.name.clone(), route.model.clone())).collect()
}

impl Probe {
    async fn run(self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.ask() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.rule.every) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    async fn ask(&self) {
        self.news().await.iter().for_each(|change| change.tell(&self.provider));
    }

    async fn news(&self) -> Vec<Change> {
        let started = self.clock.monotonic_micros();
        let listed = self.server.list_models(self.patience).await;
        let took = Duration::from_micros(self.clock.monotonic_micros().saturating_sub(started));
        let mut changes = self.seen.note_list(&self.routes, listed, took);
        if self.rule.capacity && !self.seen.is_down() {
            changes.extend(self.seen.note_capacity(self.server.capacity(self.patience).await));
        }
        changes
    }
}

#[cfg(test)]
mod tests;
