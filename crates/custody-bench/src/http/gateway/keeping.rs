//! The gateway's side of the vault: a content journal on disk and the key of the day. No text of the load is so large that it would
//! go to the vault's store.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use custody_gateway::{CONTENT_RESERVE_BYTES, ClaimError, ClaimStore, ContentOutlet, EdgeKeySource};
use custody_seal::edge::{EdgeDay, EdgePrivateKey, EdgePublicKeys, EdgeWindow};
use custody_types::{Text, Timestamp};

use super::recorder::durable;
use crate::entropy::System;

const HOUR: Duration = Duration::from_secs(3600);

struct Keys(Arc<EdgePublicKeys>);

struct NoStore;

pub fn outlet(folder: &Path, now: Timestamp) -> Result<ContentOutlet> {
    let mut keys = EdgePublicKeys::new(EdgeWindow::new(HOUR, 7 * 24 * HOUR));
    let today = EdgeDay::of(now);
    for day in [today, EdgeDay::from_number(today.number() + 1)] {
        keys.publish(EdgePrivateKey::generate(day, &mut System)?.public().clone(), now);
    }
    let recorder = durable(folder, Some(CONTENT_RESERVE_BYTES))?;
    Ok(ContentOutlet { recorder, keys: Arc::new(Keys(Arc::new(keys))), claims: Arc::new(NoStore) })
}

impl EdgeKeySource for Keys {
    fn keys(&self) -> Arc<EdgePublicKeys> {
        Arc::clone(&self.0)
    }
}

#[async_trait]
impl ClaimStore for NoStore {
    async fn put(&self, _day: EdgeDay, _content_id: &str, _sealed: Vec<u8>) -> Result<Text, ClaimError> {
        Err(ClaimError("the bench has no store for large texts".into()))
    }
}
