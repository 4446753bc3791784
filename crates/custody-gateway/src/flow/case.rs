//! What is known of one request, from receipt to outcome, and how its events are made from that.

use std::{collections::BTreeMap, sync::Arc};

use custody_event::{Envelope, Event, Kind, Request};
use custody_types::{PicoUsd, RequestId, Text, Timestamp};

use super::{content::OpenContent, guardrail::GuardrailStatus};
use crate::{
    front::Front,
    gateway::Inner,
    keyed::TenantHasher,
    stage::Stage,
    workspace::{ApiKey, Capability, HandlingRule},
};

/// What the request's head says for correlation, already made safe.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    pub(crate) operation: &'static str,
    pub(crate) front: Front,
    pub(crate) client_request_id: Option<String>,
    pub(crate) trace_id: Option<Text>,
    pub(crate) span_id: Option<Text>,
}

/// One request on its way.
pub(crate) struct Case {
    pub(super) id: RequestId,
    pub(super) id_text: Text,
    pub(super) received_at: Timestamp,
    pub(super) wire: Wire,
    pub(super) stage: Stage,
    pub(super) key: Option<Arc<ApiKey>>,
    pub(super) hasher: Arc<TenantHasher>,
    pub(super) capability: Option<Arc<Capability>>,
    pub(super) user_pseudonym: Option<Text>,
    pub(super) tags: BTreeMap<Text, Text>,
    pub(super) request: Request,
    pub(super) attempts: i32,
    pub(super) spent: Spent,
    pub(super) guardrail: GuardrailStatus,
    pub(super) delivered_bytes: Option<i64>,
    /// The texts that are kept, from the intent on.
    pub(super) content: Option<OpenContent>,
    started: u64,
    stage_started: u64,
    stage_us: BTreeMap<Text, i64>,
    model_us: u64,
    envelope: Option<Arc<Envelope>>,
}

/// What all attempts so far cost together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spent {
    /// Exactly this.
    Known(PicoUsd),
    /// At least one attempt has no amount.
    Unknown,
}

impl Case {
    pub(super) fn new(gateway: &Inner, id: RequestId, wire: Wire) -> Self {
        let started = gateway.clock.monotonic_micros();
        let request = Request {
            dialect: gateway.words.dialect(wire.front),
            operation: Text::from(wire.operation),
            decision: Text::from("deny"),
            ..Request::default()
        };
        Self {
            id,
            id_text: Text::from(id.to_string()),
            received_at: gateway.clock.now(),
            wire,
            stage: Stage::Receive,
            key: None,
            hasher: gateway.hasher.tenant(&gateway.words.unidentified),
            capability: None,
            user_pseudonym: None,
            tags: BTreeMap::new(),
            request,
            attempts: 0,
            spent: Spent::Known(PicoUsd::ZERO),
            guardrail: GuardrailStatus::default(),
            delivered_bytes: None,
            content: None,
            started,
            stage_started: started,
            stage_us: BTreeMap::new(),
            model_us: 0,
            envelope: None,
        }
    }

    /// Notes that the next stage begins.
    pub(super) fn enter(&mut self, gateway: &Inner, stage: Stage) {
        let now = gateway.clock.monotonic_micros();
        let spent = micros(now.saturating_sub(self.stage_started));
        *self.stage_us.entry(gateway.words.stage(self.stage)).or_insert(0) += spent;
        self.stage = stage;
        self.stage_started = now;
    }

    /// Notes time that was spent waiting for a model.
    pub(super) fn add_model_time(&mut self, micros: u64) {
        self.model_us = self.model_us.saturating_add(micros);
    }

    /// Microseconds since receipt, all and without the models' share.
    pub(super) fn elapsed(&self, gateway: &Inner) -> (u64, u64) {
        let all = gateway.clock.monotonic_micros().saturating_sub(self.started);
        (all, all.saturating_sub(self.model_us))
    }

    pub(super) fn take_stage_times(&mut self) -> BTreeMap<Text, i64> {
        std::mem::take(&mut self.stage_us)
    }

    /// An event of this request, true now.
    pub(super) fn event(&mut self, gateway: &Inner, kind: Kind) -> Event {
        self.event_at(gateway, gateway.clock.now(), kind)
    }

    pub(super) fn event_at(&mut self, gateway: &Inner, time: Timestamp, kind: Kind) -> Event {
        let event_id = Text::from(gateway.ids.event_id().to_string());
        Event { event_id, time, envelope: self.envelope(gateway), kind }
    }

    /// The request event, by what is known now.
    pub(super) fn request_event(&mut self, gateway: &Inner) -> Event {
        let kind = Kind::Request(self.request.clone());
        self.event_at(gateway, self.received_at, kind)
    }

    /// The data-handling rule in force; none while nobody is identified.
    pub(super) fn rule<'g>(&self, gateway: &'g Inner) -> Option<&'g Arc<HandlingRule>> {
        let tenant = &self.key.as_ref()?.record.tenant;
        Some(gateway.workspace.handling.rule(tenant, self.capability.as_deref()))
    }

    /// Made once, when the first event of the request is: from then on identity and capability stand fast.
    pub(super) fn envelope(&mut self, gateway: &Inner) -> Arc<Envelope> {
        let made = self.envelope.take().unwrap_or_else(|| Arc::new(self.make_envelope(gateway)));
        Arc::clone(self.envelope.insert(made))
    }

    fn make_envelope(&mut self, gateway: &Inner) -> Envelope {
        let record = self.key.as_ref().map(|key| &key.record);
        let capability = self.capability.as_deref();
        Envelope {
            request_id: Some(Arc::clone(&self.id_text)),
            tenant: record.map_or_else(|| gateway.words.unidentified.clone(), |record| record.tenant.text()),
            principal: record.map_or_else(|| gateway.words.unidentified.clone(), |record| record.principal.text()),
            user_pseudonym: self.user_pseudonym.take(),
            capability: capability.map(|capability| capability.name.text()),
            feature: capability.map(|capability| capability.feature.text()),
            workflow: capability.map(|capability| capability.workflow.text()),
            environment: gateway.words.environment.clone(),
            data_class: capability.map(|capability| Text::from(capability.data_class.as_str())),
            control_level: capability.map(|capability| Text::from(capability.control_level.as_str())),
            tags: std::mem::take(&mut self.tags),
            policy_hash: gateway.workspace.policies.hash().clone(),
            config_hash: gateway.workspace.hash.clone(),
            trace_id: self.wire.trace_id.take(),
            span_id: self.wire.span_id.take(),
            client_request_id: self.wire.client_request_id.take().map(|id| super::foreign_word::kept_or_hashed(&self.hasher, &id)),
            api_key_id: record.map(|record| record.id.text()),
            producer: gateway.words.producer.clone(),
            handling_rule: self.rule(gateway).map(|rule| Arc::clone(&rule.label)),
        }
    }
}

/// Microseconds, or any count, as events carry them.
pub(super) fn micros(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A size as events carry it.
pub(super) fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
