//! The keys of the days: made before their day, published to gateways, opened by ingest, destroyed once nothing may need them.
//!
//! ```text
//! prepare   `edge/<day>.key` (wrapped, created once) ─▶ `edge/<day>.pub` (from the key that is kept)
//! destroy   `edge/<day>.pub` ─▶ `claims/edge/<day>/…` ─▶ `edge/<day>.key`, only while nothing is parked under the day
//! ```
//! A public key therefore never stands without the private one that is kept, and what was cut short is completed by the next run.

mod changes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use custody_seal::{
    edge::{EdgeDay, EdgeKeyId, EdgeOpener, EdgePrivateKey, EdgePublicKey, EdgePublicKeys, EdgeWindow},
    wrap::{KeyWrapper, WrapSubject, WrappedKey},
};
use custody_types::Timestamp;

use crate::{
    claims::Claims,
    entropy::OsEntropy,
    error::VaultError,
    objects::{ObjectName, Objects, Put},
    parked::ParkedRecords,
};

pub use self::changes::EdgeChanges;

const FOLDER: &str = "edge";
const PUBLIC: &str = ".pub";
const PRIVATE: &str = ".key";

/// Keeps the keys of the days.
#[derive(Debug, Clone)]
pub struct EdgeKeys {
    objects: Arc<dyn Objects>,
    wrapper: Arc<dyn KeyWrapper>,
    window: EdgeWindow,
}

/// What a preparation did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EdgeKeysPrepared {
    /// Days whose key was made.
    pub made: Vec<EdgeDay>,
    /// Days whose public key was missing or another's and was published anew.
    pub published_anew: Vec<EdgeDay>,
}

/// What a destruction did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EdgeKeysDestroyed {
    /// Days whose key is gone.
    pub destroyed: Vec<EdgeDay>,
    /// Days that are due but stay, because records are parked under them or the stream still holds texts of them.
    pub still_needed: Vec<EdgeDay>,
}

/// What bringing an opener up to date did.
#[derive(Debug, Default)]
pub struct EdgeRefresh {
    /// Days whose key was taken up.
    pub taken_up: Vec<EdgeDay>,
    /// Keys that are kept no more and were dropped.
    pub dropped: Vec<EdgeKeyId>,
    /// Days whose key did not open, and why. Texts of them wait or are parked.
    pub closed: Vec<(EdgeDay, VaultError)>,
}

impl EdgeKeys {
    /// Over a store and a key service. `window` must be the gateways'.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, wrapper: Arc<dyn KeyWrapper>, window: EdgeWindow) -> Self {
        Self { objects, wrapper, window }
    }

    /// The window that its keys obey.
    #[must_use]
    pub const fn window(&self) -> EdgeWindow {
        self.window
    }

    /// Sees to it that today and tomorrow have a key. Several may do so at once; a day gets one key.
    ///
    /// # Errors
    /// When store or key service fail; what was done stays and is completed by the next call.
    pub async fn prepare(&self, now: Timestamp) -> Result<EdgeKeysPrepared, VaultError> {
        let mut prepared = EdgeKeysPrepared::default();
        let today = EdgeDay::of(now);
        for day in [today, EdgeDay::from_number(today.number().saturating_add(1))] {
            self.prepare_day(day, &mut prepared).await?;
        }
        Ok(prepared)
    }

    async fn prepare_day(&self, day: EdgeDay, prepared: &mut EdgeKeysPrepared) -> Result<(), VaultError> {
        let Some(kept) = self.wrapped(day).await? else {
            prepared.made.extend(self.make(day).await?.then_some(day));
            return Ok(());
        };
        let published = read_public(self.objects.as_ref(), day).await;
        if published.is_ok_and(|key| key.is_some_and(|key| *key.id().as_bytes() == kept.context().key)) {
            return Ok(());
        }
        self.publish(&self.open(&kept).await?).await?;
        prepared.published_anew.push(day);
        Ok(())
    }

    /// Whether this call made the key; if not, another was quicker.
    async fn make(&self, day: EdgeDay) -> Result<bool, VaultError> {
        let key = EdgePrivateKey::generate(day, &mut OsEntropy)?;
        let wrapped = key.wrap(self.wrapper.as_ref()).await?;
        match self.objects.put_new(&private_name(day)?, wrapped.encode().into()).await? {
            Put::Created => self.publish(&key).await.map(|()| true),
            Put::Exists => {
                if let Some(kept) = self.wrapped(day).await? {
                    self.publish(&self.open(&kept).await?).await?;
                }
                Ok(false)
            }
        }
    }

    async fn publish(&self, key: &EdgePrivateKey) -> Result<(), VaultError> {
        self.objects.put(&public_name(key.public().day())?, key.public().encode().into()).await
    }

    /// An opener with all keys that are kept.
    ///
    /// # Errors
    /// When the store fails or a key does not open.
    pub async fn opener(&self) -> Result<EdgeOpener, VaultError> {
        let mut opener = EdgeOpener::new();
        match self.refresh(&mut opener).await?.closed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(opener),
        }
    }

    /// Takes up keys that came and drops those that are kept no more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refresh(&self, opener: &mut EdgeOpener) -> Result<EdgeRefresh, VaultError> {
        let held = opener.held().map(|key| (key.id(), key.day())).collect();
        Ok(self.changes(held).await?.apply(opener))
    }

    /// What an opener that holds these keys should take up and drop. A key that does not open, or was altered, leaves the others open.
    /// A key service that is away is asked once: each of its answers may take as long as a time limit allows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn changes(&self, held: BTreeMap<EdgeKeyId, EdgeDay>) -> Result<EdgeChanges, VaultError> {
        let mut refresh = EdgeRefresh::default();
        let (mut kept, mut to_open) = (BTreeSet::new(), Vec::new());
        for day in days(self.objects.as_ref(), PRIVATE).await? {
            match self.wrapped(day).await {
                Ok(Some(wrapped)) => {
                    let id = EdgeKeyId::from_bytes(wrapped.context().key);
                    kept.insert(id);
                    if !held.contains_key(&id) {
                        to_open.push((day, wrapped));
                    }
                }
                Ok(None) => {}
                Err(error @ (VaultError::Unreadable { .. } | VaultError::Misplaced { .. })) => {
                    kept.extend(held.iter().filter(|(_, of_day)| **of_day == day).map(|(id, _)| *id));
                    refresh.closed.push((day, error));
                }
                Err(error) => return Err(error),
            }
        }
        let to_hold = self.unwrap_all(to_open, &mut refresh).await;
        refresh.dropped = held.into_keys().filter(|id| !kept.contains(id)).collect();
        Ok(EdgeChanges { to_hold, refresh })
    }

    async fn unwrap_all(&self, to_open: Vec<(EdgeDay, WrappedKey)>, refresh: &mut EdgeRefresh) -> Vec<EdgePrivateKey> {
        let mut opened = Vec::with_capacity(to_open.len());
        for (day, wrapped) in to_open {
            match self.open(&wrapped).await {
                Ok(key) => {
                    opened.push(key);
                    refresh.taken_up.push(day);
                }
                Err(error) => {
                    let is_away = error.is_passing();
                    refresh.closed.push((day, error));
                    if is_away {
                        break;
                    }
                }
            }
        }
        opened
    }

    /// Destroys the keys that are due, except of days that parked records may need and of days from `unread_from` on, which the
    /// stream may still hold.
    ///
    /// # Errors
    /// When the store fails; the next call goes on.
    pub async fn destroy_due(&self, now: Timestamp, unread_from: Option<EdgeDay>) -> Result<EdgeKeysDestroyed, VaultError> {
        let mut report = EdgeKeysDestroyed::default();
        let parked = ParkedRecords::new(Arc::clone(&self.objects)).days().await?;
        let mut kept = days(self.objects.as_ref(), PRIVATE).await?;
        kept.extend(days(self.objects.as_ref(), PUBLIC).await?);
        for day in kept.into_iter().filter(|day| self.window.destroy_at(*day) <= now) {
            if may_need(&parked, day) || unread_from.is_some_and(|first| first <= day) {
                report.still_needed.push(day);
                continue;
            }
            self.destroy(day).await?;
            report.destroyed.push(day);
        }
        Ok(report)
    }

    /// Destroys the key of a day, and the claim checks that only it opened. Whether it is still needed is the caller's to know.
    ///
    /// # Errors
    /// When the store fails; repeating goes on.
    async fn destroy(&self, day: EdgeDay) -> Result<(), VaultError> {
        self.objects.delete(&public_name(day)?).await?;
        Claims::new(Arc::clone(&self.objects)).delete_edge_day(day).await?;
        // Last: while it stands, a day that was cut off is found again.
        self.objects.delete(&private_name(day)?).await
    }

    /// The days whose private key is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn days(&self) -> Result<BTreeSet<EdgeDay>, VaultError> {
        days(self.objects.as_ref(), PRIVATE).await
    }

    /// The public keys that may seal now or later: all that a gateway reads of the vault.
    ///
    /// # Errors
    /// When the store fails or a key is not of its format.
    pub async fn public_keys(objects: &dyn Objects, window: EdgeWindow, now: Timestamp) -> Result<EdgePublicKeys, VaultError> {
        let mut keys = EdgePublicKeys::new(window);
        let today = EdgeDay::of(now);
        for day in days(objects, PUBLIC).await?.into_iter().filter(|day| *day >= today || window.may_seal(*day, now)) {
            if let Some(key) = read_public(objects, day).await? {
                keys.publish(key, now);
            }
        }
        Ok(keys)
    }

    async fn wrapped(&self, day: EdgeDay) -> Result<Option<WrappedKey>, VaultError> {
        let name = private_name(day)?;
        let Some(bytes) = self.objects.get(&name).await? else { return Ok(None) };
        let wrapped = WrappedKey::decode(&bytes).map_err(|cause| VaultError::Unreadable { object: name.to_string(), cause })?;
        if wrapped.context().subject == (WrapSubject::EdgeKey { day }) {
            Ok(Some(wrapped))
        } else {
            Err(VaultError::Misplaced { object: name.to_string() })
        }
    }

    async fn open(&self, wrapped: &WrappedKey) -> Result<EdgePrivateKey, VaultError> {
        Ok(EdgePrivateKey::unwrap(self.wrapper.as_ref(), wrapped).await?)
    }
}

/// Whether a parked record may need the key of a day. Where its key was not held, a record is parked under the day on which it was
/// sealed, and the key may be that of the day before.
fn may_need(parked: &BTreeSet<EdgeDay>, day: EdgeDay) -> bool {
    parked.contains(&day) || parked.contains(&EdgeDay::from_number(day.number().saturating_add(1)))
}

async fn read_public(objects: &dyn Objects, day: EdgeDay) -> Result<Option<EdgePublicKey>, VaultError> {
    let name = public_name(day)?;
    let Some(bytes) = objects.get(&name).await? else { return Ok(None) };
    let key = EdgePublicKey::decode(&bytes).map_err(|cause| VaultError::Unreadable { object: name.to_string(), cause })?;
    if key.day() == day { Ok(Some(key)) } else { Err(VaultError::Misplaced { object: name.to_string() }) }
}

async fn days(objects: &dyn Objects, ending: &str) -> Result<BTreeSet<EdgeDay>, VaultError> {
    let names = objects.list(&FOLDER.parse()?).await?;
    let numbers = names.iter().filter_map(|name| name.file().strip_suffix(ending)?.parse().ok());
    Ok(numbers.map(EdgeDay::from_number).collect())
}

fn public_name(day: EdgeDay) -> Result<ObjectName, VaultError> {
    Ok(format!("{FOLDER}/{day}{PUBLIC}").parse()?)
}

fn private_name(day: EdgeDay) -> Result<ObjectName, VaultError> {
    Ok(format!("{FOLDER}/{day}{PRIVATE}").parse()?)
}

#[cfg(test)]
mod tests;
