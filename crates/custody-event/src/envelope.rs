//! The envelope and the event around one kind, with their wire form.

use std::{collections::BTreeMap, sync::Arc};

use custody_types::{Text, Timestamp};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use crate::kinds::{Access, Content, Control, Cost, Feedback, Guardrail, Invocation, Kind, Outcome, Prompt, Request, Route, Validation};

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// UUID version 7 of this event.
    pub event_id: Text,
    /// When the fact became true, by the producer's clock.
    pub time: Timestamp,
    /// What all events of one request have in common.
    pub envelope: Arc<Envelope>,
    /// The fact itself.
    pub kind: Kind,
}

/// Number of fields of the Avro record besides the envelope's and the kinds': `event_id`, `kind`, `time`.
const OWN_FIELDS: usize = 3;

macro_rules! envelope {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)+) => {
        /// What all events of one request have in common: who, for whom, for what, under which rules.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Envelope {
            $($(#[$doc])* pub $name: $type,)+
        }

        const ENVELOPE_FIELDS: usize = [$(stringify!($name)),+].len();

        fn write_envelope<S: SerializeStruct>(envelope: &Envelope, record: &mut S) -> Result<(), S::Error> {
            $(record.serialize_field(stringify!($name), &envelope.$name)?;)+
            Ok(())
        }

        /// The flat wire record, for reading: any schema version whose fields are a subset of these decodes into it.
        #[derive(Deserialize)]
        struct Record {
            event_id: Text,
            time: Timestamp,
            $(#[serde(default)] $name: $type,)+
            #[serde(default)] request: Option<Request>,
            #[serde(default)] prompt: Option<Prompt>,
            #[serde(default)] route: Option<Route>,
            #[serde(default)] invocation: Option<Invocation>,
            #[serde(default)] validation: Option<Validation>,
            #[serde(default)] cost: Option<Cost>,
            #[serde(default)] outcome: Option<Outcome>,
            #[serde(default)] control: Option<Control>,
            #[serde(default)] guardrail: Option<Guardrail>,
            #[serde(default)] content: Option<Content>,
            #[serde(default)] access: Option<Access>,
            #[serde(default)] feedback: Option<Feedback>,
        }

        impl Record {
            fn split(self) -> (Text, Timestamp, Envelope, Vec<Kind>) {
                let kinds = [
                    self.request.map(Kind::Request),
                    self.prompt.map(Kind::Prompt),
                    self.route.map(Kind::Route),
                    self.invocation.map(Kind::Invocation),
                    self.validation.map(Kind::Validation),
                    self.cost.map(Kind::Cost),
                    self.outcome.map(Kind::Outcome),
                    self.control.map(Kind::Control),
                    self.guardrail.map(Kind::Guardrail),
                    self.content.map(Kind::Content),
                    self.access.map(Kind::Access),
                    self.feedback.map(Kind::Feedback),
                ];
                let set = kinds.into_iter().flatten().collect();
                (self.event_id, self.time, Envelope { $($name: self.$name),+ }, set)
            }
        }
    };
}

envelope! {
    /// UUID version 7 of the governed request; none only for control events. LOG-01.
    request_id: Option<Text>,
    /// Tenant the request belongs to; `unidentified` where no credential was accepted; `platform` for control events. LOG-02.
    tenant: Text,
    /// User or service that held the credential. LOG-03.
    principal: Text,
    /// Keyed hash of the end user's name as the caller gave it. LOG-03.
    user_pseudonym: Option<Text>,
    /// Capability that was asked for, where it exists.
    capability: Option<Text>,
    /// Product feature of the capability; cost dimension. LOG-04.
    feature: Option<Text>,
    /// Business workflow of the capability; cost dimension. LOG-04.
    workflow: Option<Text>,
    /// Deployment stage.
    environment: Text,
    /// Data class of the request.
    data_class: Option<Text>,
    /// Control level of the capability.
    control_level: Option<Text>,
    /// Labels from the caller that the workspace allows, name to value.
    tags: BTreeMap<Text, Text>,
    /// SHA-256 of the policy set in force, hex.
    policy_hash: Text,
    /// SHA-256 of the workspace in force, hex.
    config_hash: Text,
    /// W3C trace id of the caller's context, 32 hex digits.
    trace_id: Option<Text>,
    /// W3C parent span id of the caller's context, 16 hex digits.
    span_id: Option<Text>,
    /// Caller's own request id, kept for correlation only. PATH-01.
    client_request_id: Option<Text>,
    /// Public id of the credential.
    api_key_id: Option<Text>,
    /// Program and version that made the event.
    producer: Text,
    /// Data-handling rule in force for the request, `<name>@<version of its file>`. LOG-33.
    handling_rule: Option<Text>,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("Event", OWN_FIELDS + ENVELOPE_FIELDS + 1)?;
        record.serialize_field("event_id", &self.event_id)?;
        record.serialize_field("kind", self.kind.name())?;
        record.serialize_field("time", &self.time)?;
        write_envelope(&self.envelope, &mut record)?;
        match &self.kind {
            Kind::Request(kind) => record.serialize_field("request", &Some(kind))?,
            Kind::Prompt(kind) => record.serialize_field("prompt", &Some(kind))?,
            Kind::Route(kind) => record.serialize_field("route", &Some(kind))?,
            Kind::Invocation(kind) => record.serialize_field("invocation", &Some(kind))?,
            Kind::Validation(kind) => record.serialize_field("validation", &Some(kind))?,
            Kind::Cost(kind) => record.serialize_field("cost", &Some(kind))?,
            Kind::Outcome(kind) => record.serialize_field("outcome", &Some(kind))?,
            Kind::Control(kind) => record.serialize_field("control", &Some(kind))?,
            Kind::Guardrail(kind) => record.serialize_field("guardrail", &Some(kind))?,
            Kind::Content(kind) => record.serialize_field("content", &Some(kind))?,
            Kind::Access(kind) => record.serialize_field("access", &Some(kind))?,
            Kind::Feedback(kind) => record.serialize_field("feedback", &Some(kind))?,
        }
        record.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (event_id, time, envelope, mut kinds) = Record::deserialize(deserializer)?.split();
        match (kinds.pop(), kinds.is_empty()) {
            (Some(kind), true) => Ok(Self { event_id, time, envelope: Arc::new(envelope), kind }),
            _ => Err(serde::de::Error::custom("an event has exactly one kind")),
        }
    }
}
