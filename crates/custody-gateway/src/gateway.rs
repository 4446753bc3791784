//! The gateway as a whole: what all requests share, and how it is built and run.

use std::{
    collections::BTreeMap,
    future::Future,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use custody_dialect::openai;
use custody_event::{Control, Envelope, Event, Kind};
use custody_log::{AppendError, Appended};
use custody_model::{Model, protection::Change};
use custody_types::{Clock, Fault, FaultOwner, IdSource, Retry, RouteName, Text, Timestamp};
use prometheus::Registry;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    content::{Content, ContentOutlet},
    front::Front,
    http::{self, Tls, TlsError},
    keyed::{HashKeyError, KeyedHasher},
    metrics::Metrics,
    protection::Protection,
    recorder::Recorder,
    stage::Stage,
    verdicts::Verdicts,
    workspace::{StageSwitches, Workspace},
};

/// Further lines for `/metrics`, in Prometheus' text form, asked for at each scrape.
pub type MoreMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Settings that are not part of the workspace.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Program and version, for events.
    pub producer: String,
    /// The deployment's hash key, made at the first start.
    pub hash_key_file: PathBuf,
    /// What the parts around the gateway have to say at `/metrics`.
    pub more_metrics: Option<MoreMetrics>,
    /// The ways to the vault. Without them a request whose texts a rule keeps is refused.
    pub content: Option<ContentOutlet>,
}

/// Room that one more request may need in the journal: its intent, and the reserve for its outcome.
const ROOM_OF_A_REQUEST: u64 = 64 << 10;

/// Models by the routes that lead to them.
pub type Models = BTreeMap<RouteName, Arc<dyn Model>>;

/// The gateway cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildGatewayError {
    /// No keyed hash can be made.
    #[error(transparent)]
    HashKey(#[from] HashKeyError),
    /// A route leads nowhere.
    #[error("route `{0}` has no model")]
    MissingModel(RouteName),
    /// The metrics contradict each other: a defect.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Fault for BuildGatewayError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::HashKey(error) => error.owner(),
            Self::Tls(error) => error.owner(),
            Self::MissingModel(_) | Self::Metrics(_) => FaultOwner::Product,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn code(&self) -> &'static str {
        match self {
            Self::HashKey(error) => error.code(),
            Self::Tls(error) => error.code(),
            Self::MissingModel(_) => "route_without_model",
            Self::Metrics(_) => "metrics_invalid",
        }
    }
}

/// Governed access to models. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

/// What all requests share.
pub(crate) struct Inner {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) models: Models,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) hasher: KeyedHasher,
    pub(crate) verdicts: Verdicts,
    pub(crate) metrics: Metrics,
    pub(crate) protection: Protection,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) more_metrics: Option<MoreMetrics>,
    pub(crate) content: Option<Content>,
    pub(crate) words: Words,
    pub(crate) dialect_limits: openai::Limits,
    pub(crate) in_flight: Arc<Semaphore>,
    pub(crate) started_at: Timestamp,
    permits: u32,
    switched_off: AtomicU16,
}

/// Texts that most events carry, made once.
pub(crate) struct Words {
    pub(crate) unidentified: Text,
    pub(crate) not_required: Text,
    pub(crate) environment: Text,
    pub(crate) producer: Text,
    pub(crate) chosen: Text,
    pub(crate) not_needed: Text,
    pub(crate) exhausted: Text,
    pub(crate) breaker_open: Text,
    pub(crate) retry_budget: Text,
    pub(crate) profile_changed: Text,
    stages: [Text; Stage::ALL.len()],
    dialects: [Text; Front::ALL.len()],
}

impl Gateway {
    /// Puts the parts together. `recorder` is the journal in every deployment.
    ///
    /// # Errors
    /// When the hash key, the certificate or its key cannot be used, or a route of the workspace has no model.
    pub fn build(
        config: GatewayConfig,
        workspace: Arc<Workspace>,
        recorder: Arc<dyn Recorder>,
        models: Models,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, BuildGatewayError> {
        // Now, so that no request waits for it.
        let _ = custody_redact::standard();
        if let Some(route) = workspace.routes.keys().find(|route| !models.contains_key(*route)) {
            return Err(BuildGatewayError::MissingModel(route.clone()));
        }
        if workspace.handling.captures() && config.content.is_none() {
            tracing::warn!("a data-handling rule keeps text, and there is no vault: requests under it are refused");
        }
        let server = &workspace.settings.server;
        let permits = u32::try_from(server.max_in_flight).unwrap_or(u32::MAX);
        let body_bytes = usize::try_from(server.max_body_bytes).unwrap_or(usize::MAX);
        let registry = Registry::new();
        let protection = Protection::new(&workspace, &registry)?;
        let metrics = Metrics::new(registry)?;
        let tls = server.tls.as_ref().map(|files| Tls::open(files, clock.now(), &metrics)).transpose()?;
        let inner = Inner {
            hasher: KeyedHasher::open(&config.hash_key_file)?,
            verdicts: Verdicts::default(),
            protection,
            metrics,
            tls: tls.map(Arc::new),
            more_metrics: config.more_metrics,
            content: config.content.map(|outlet| Content::new(outlet, workspace.handling.claim_above_bytes)),
            words: Words::new(workspace.environment().text(), config.producer.into()),
            dialect_limits: openai::Limits { body_bytes, ..openai::Limits::default() },
            in_flight: Arc::new(Semaphore::new(permits as usize)),
            started_at: clock.now(),
            permits,
            switched_off: AtomicU16::new(bits(&workspace.settings.switches)),
            workspace,
            recorder,
            models,
            clock,
            ids,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Serves until `shutdown` is done, then finishes what is under way. When it returns, every request has its outcome.
    ///
    /// # Errors
    /// None at present; the listener is already bound.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        http::serve(Arc::clone(&self.0), listener, shutdown).await
    }

    /// Switches stages off, and all others on, for every request from now on (PATH-16), and records who did. Switching off
    /// works at once, even where it cannot be recorded; switching on waits for its record.
    ///
    /// # Errors
    /// When the change cannot be made durable: then nothing was switched on.
    pub async fn switch(&self, switches: &StageSwitches, actor: &str) -> Result<(), AppendError> {
        let wanted = bits(switches);
        let before = self.0.switched_off.fetch_or(wanted, Ordering::SeqCst);
        let parameters = [("off_before", names(before)), ("off_now", names(wanted))];
        let fact = Control {
            action: Text::from("configured"),
            subject: Text::from("stages"),
            actor: Text::from(actor),
            parameters: parameters.into_iter().map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
            ..Control::default()
        };
        self.record_control(fact).await?;
        self.0.switched_off.store(wanted, Ordering::SeqCst);
        Ok(())
    }

    /// Makes a control event durable: the platform was started, stopped, configured.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn record_control(&self, fact: Control) -> Result<Appended, AppendError> {
        self.0.record_control(fact).await
    }

    /// Whether a stage is switched off.
    #[must_use]
    pub fn is_off(&self, stage: Stage) -> bool {
        self.0.is_off(stage)
    }

    /// The workspace in force.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.0.workspace
    }
}

impl Inner {
    /// Whether an operator switched the stage off.
    pub(crate) fn is_off(&self, stage: Stage) -> bool {
        self.switched_off.load(Ordering::SeqCst) & stage.bit() != 0
    }

    /// Makes a control event durable.
    pub(crate) async fn record_control(&self, fact: Control) -> Result<Appended, AppendError> {
        let envelope = Envelope {
            tenant: Text::from("platform"),
            principal: fact.actor.clone(),
            environment: self.words.environment.clone(),
            policy_hash: self.workspace.policies.hash().clone(),
            config_hash: self.workspace.hash.clone(),
            producer: self.words.producer.clone(),
            ..Envelope::default()
        };
        let event_id = Text::from(self.ids.event_id().to_string());
        let event = Event { event_id, time: self.clock.now(), envelope: Arc::new(envelope), kind: Kind::Control(fact) };
        let records = crate::encode::all(&[event]).map_err(|_| AppendError::Empty)?;
        self.recorder.append(records).await
    }

    /// A route's breaker opened or closed: that is evidence too, and where it can't be written the requests' own events still tell.
    pub(crate) async fn record_breaker(&self, route: &RouteName, change: Change) {
        tracing::warn!(route = route.as_str(), change = change.as_str(), "a circuit breaker changed");
        let subject = Text::from(format!("route:{route}"));
        let fact = Control { action: Text::from(change.as_str()), subject, actor: Text::from("gateway"), ..Control::default() };
        if let Err(error) = self.record_control(fact).await {
            tracing::warn!(code = error.code(), "the change of a circuit breaker could not be recorded");
        }
    }

    /// Why a request that came now could not be recorded; or, where a rule keeps text, why a text could not be kept. Requests whose
    /// rule keeps nothing are served still, but a caller is better sent where all are.
    pub(crate) fn why_not_ready(&self) -> Option<&'static str> {
        let stats = self.recorder.stats();
        if stats.failed {
            return Some("the journal failed");
        }
        if !stats.has_room(ROOM_OF_A_REQUEST) {
            return Some("the journal is full");
        }
        let content = self.content.as_ref().filter(|_| self.workspace.handling.captures())?;
        content.why_not_ready(self.clock.now())
    }

    /// Waits until no request is under way.
    pub(crate) async fn all_ended(&self) {
        let _ = self.in_flight.acquire_many(self.permits).await;
    }
}

impl Words {
    fn new(environment: Text, producer: Text) -> Self {
        Self {
            unidentified: Text::from("unidentified"),
            not_required: Text::from("not_required"),
            environment,
            producer,
            chosen: Text::from("chosen"),
            not_needed: Text::from("not_needed"),
            exhausted: Text::from("exhausted"),
            breaker_open: Text::from("breaker_open"),
            retry_budget: Text::from("retry_budget"),
            profile_changed: Text::from("profile_changed"),
            stages: Stage::ALL.map(|stage| Text::from(stage.as_str())),
            dialects: Front::ALL.map(|front| Text::from(front.dialect())),
        }
    }

    /// A stage's name.
    pub(crate) fn stage(&self, stage: Stage) -> Text {
        self.stages.get(stage as usize).map_or_else(|| Text::from(stage.as_str()), Arc::clone)
    }

    /// The word for the form that a caller speaks.
    pub(crate) fn dialect(&self, front: Front) -> Text {
        self.dialects.get(front as usize).map_or_else(|| Text::from(front.dialect()), Arc::clone)
    }
}

/// Names of stages, for an event.
fn names(bits: u16) -> String {
    let off = Stage::ALL.into_iter().filter(|stage| bits & stage.bit() != 0);
    off.map(Stage::as_str).collect::<Vec<_>>().join(",")
}

fn bits(switches: &StageSwitches) -> u16 {
    switches.off.iter().fold(0, |bits, stage| bits | stage.bit())
}
