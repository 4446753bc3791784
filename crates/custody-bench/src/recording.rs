//! Generated trails as the bytes that a journal takes.

use anyhow::{Context, Result};
use bytes::Bytes;
use custody_event::Encoder;
use custody_types::Timestamp;

use crate::trails::Trails;

/// Generates trails and encodes them.
pub struct EncodedTrails {
    trails: Trails,
    encoder: Encoder,
}

/// One encoded trail.
#[derive(Debug, Clone)]
pub struct EncodedTrail {
    pub request_id: String,
    pub records: Vec<Bytes>,
}

impl EncodedTrails {
    pub fn new(seed: u64) -> Result<Self> {
        let encoder = Encoder::new().context("the event schema does not parse")?;
        Ok(Self { trails: Trails::new(seed), encoder })
    }

    /// The records of one request that was received at `began`.
    pub fn trail(&mut self, began: Timestamp) -> Result<EncodedTrail> {
        let events = self.trails.trail(began);
        let request_id = events.first().and_then(|event| event.envelope.request_id.clone()).unwrap_or_default();
        let records = events.iter().map(|event| Ok(Bytes::from(self.encoder.encode(event)?))).collect::<Result<_>>()?;
        Ok(EncodedTrail { request_id: request_id.to_string(), records })
    }

    /// Average bytes of an event as JSON without nulls: what the same facts take in the form that other pipelines carry.
    pub fn json_bytes(&mut self, began: Timestamp) -> Result<f64> {
        const TRAILS: usize = 500;
        let (mut bytes, mut events) = (0, 0);
        for _ in 0..TRAILS {
            for event in self.trails.trail(began) {
                let mut value = serde_json::to_value(&event)?;
                drop_nulls(&mut value);
                bytes += serde_json::to_vec(&value)?.len();
                events += 1;
            }
        }
        Ok(bytes as f64 / f64::from(events))
    }
}

fn drop_nulls(value: &mut serde_json::Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(drop_nulls);
    }
}
