//! Generated events: whole trails of answered requests, as the gateway writes them, for a hundred tenants of unequal size.
//!
//! The same seed gives the same events. Hashes and ids are as random as real ones are, so that encoded sizes are honest.

mod kinds;

use std::sync::Arc;

use custody_event::{Envelope, Event};
use custody_types::{Text, Timestamp};

/// Events of one trail: request, prompt, route; invocation, validation, cost, outcome.
pub const EVENTS_PER_TRAIL: u64 = 7;
/// Events that are durable before the model is called.
pub const INTENT_EVENTS: usize = 3;

const TENANTS: u64 = 100;
const FEATURES: [(&str, &str, &str); 4] = [
    ("support.answer", "support", "ticket-reply"),
    ("docs.summarise", "documents", "summary"),
    ("ticket.classify", "support", "triage"),
    ("sales.draft", "sales", "outreach"),
];
const MODELS: [&str; 4] = ["claude-sonnet-4", "claude-haiku-4", "gpt-4o-mini", "nova-lite"];

/// Makes trail after trail.
pub struct Trails {
    random: Random,
    words: Words,
}

/// Text that every event of the run shares.
struct Words {
    tenants: Vec<Text>,
    environment: Text,
    data_class: Text,
    control_level: Text,
    policy_hash: Text,
    config_hash: Text,
    producer: Text,
}

/// One request's place in time and its numbers.
struct Draft<'a> {
    random: &'a mut Random,
    request_id: Text,
    began: Timestamp,
    model: Text,
    input_tokens: i64,
    output_tokens: i64,
    duration_us: i64,
}

impl Trails {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let words = Words {
            tenants: (0..TENANTS).map(|number| Text::from(format!("tenant-{number:03}"))).collect(),
            environment: Text::from("production"),
            data_class: Text::from("confidential"),
            control_level: Text::from("customer"),
            policy_hash: random.hash(),
            config_hash: random.hash(),
            producer: Text::from("custody-gateway/0.1.0"),
        };
        Self { random, words }
    }

    /// The events of one answered request that was received at `began`.
    pub fn trail(&mut self, began: Timestamp) -> Vec<Event> {
        let request_id = self.random.uuid_v7(began);
        let envelope = Arc::new(self.envelope(&request_id));
        let random = &mut self.random;
        let model = Text::from(random.one_of(&MODELS));
        let (input_tokens, output_tokens) = (random.skewed(40, 12_000), random.skewed(5, 2_000));
        let duration_us = 300_000 + output_tokens * 9_000 + random.below(200_000) as i64;
        let mut draft = Draft { random, request_id, began, model, input_tokens, output_tokens, duration_us };
        let kinds = draft.kinds();
        let events = kinds.into_iter().map(|(after_us, kind)| {
            let time = Timestamp::from_micros(began.micros() + after_us);
            Event { event_id: draft.random.uuid_v7(time), time, envelope: Arc::clone(&envelope), kind }
        });
        events.collect()
    }

    fn envelope(&mut self, request_id: &Text) -> Envelope {
        let random = &mut self.random;
        // The product of two numbers below one makes few tenants large and many small.
        let tenant = (random.fraction() * random.fraction() * TENANTS as f64) as usize;
        let tenant = self.words.tenants.get(tenant).cloned().unwrap_or_default();
        let place = random.below(FEATURES.len() as u64) as usize;
        let (capability, feature, workflow) = FEATURES.get(place).copied().unwrap_or_default();
        Envelope {
            request_id: Some(Arc::clone(request_id)),
            principal: Text::from(format!("{tenant}-service-{}", random.below(4))),
            user_pseudonym: Some(random.hash()),
            capability: Some(Text::from(capability)),
            feature: Some(Text::from(feature)),
            workflow: Some(Text::from(workflow)),
            environment: Arc::clone(&self.words.environment),
            data_class: Some(Arc::clone(&self.words.data_class)),
            control_level: Some(Arc::clone(&self.words.control_level)),
            tags: [(Text::from("team"), Text::from(format!("team-{}", random.below(12))))].into(),
            policy_hash: Arc::clone(&self.words.policy_hash),
            config_hash: Arc::clone(&self.words.config_hash),
            trace_id: Some(Text::from(format!("{:032x}", u128::from(random.next()) << 64 | u128::from(random.next())))),
            span_id: Some(Text::from(format!("{:016x}", random.next()))),
            client_request_id: None,
            api_key_id: Some(Text::from(format!("ck-{tenant}"))),
            producer: Arc::clone(&self.words.producer),
            handling_rule: None,
            tenant,
        }
    }
}

/// `SplitMix64`: small, fast, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between the two, small values far more often than large ones.
    fn skewed(&mut self, least: i64, most: i64) -> i64 {
        let fraction = self.fraction().powi(3);
        least + (fraction * (most - least) as f64) as i64
    }

    fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        let place = self.below(choices.len() as u64) as usize;
        choices.get(place).copied().unwrap_or_default()
    }

    /// The look of a keyed SHA-256.
    fn hash(&mut self) -> Text {
        let (a, b, c, d) = (self.next(), self.next(), self.next(), self.next());
        Text::from(format!("{a:016x}{b:016x}{c:016x}{d:016x}"))
    }

    /// A UUID version 7 (RFC 9562) of that time.
    fn uuid_v7(&mut self, time: Timestamp) -> Text {
        let millis = u128::from(time.micros().unsigned_abs() / 1_000) << 80;
        let random = (u128::from(self.next()) << 64 | u128::from(self.next())) & ((1 << 80) - 1);
        let uuid = uuid::Builder::from_u128(millis | random).with_version(uuid::Version::SortRand).with_variant(uuid::Variant::RFC4122);
        Text::from(uuid.into_uuid().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_whole_and_the_same_for_the_same_seed() {
        let at = Timestamp::from_micros(1_760_000_000_000_000);
        let trail = Trails::new(7).trail(at);
        assert_eq!(trail.len() as u64, EVENTS_PER_TRAIL);
        assert_eq!(trail, Trails::new(7).trail(at));
        let mut encoder = custody_event::Encoder::new().unwrap();
        for event in &trail {
            assert!(encoder.encode(event).unwrap().len() > 100);
        }
        assert_eq!(trail[0].kind.name(), "request");
        assert_eq!(trail[6].kind.name(), "outcome");
    }
}
