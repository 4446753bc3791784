//! Unwrapped keys in memory, bounded as those of units are, each beside the wrapped bytes that it was unwrapped from: a key that was
//! destroyed, made anew or put in another's place since is not found by the bytes that stand in the store now.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use custody_seal::PseudonymKey;
use custody_types::TenantId;

use crate::unit_keys::CacheLimits;

pub(super) struct Cache {
    limits: CacheLimits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<TenantId, Entry>,
    /// Counts every use, to find the key that was used longest ago.
    turn: u64,
}

struct Entry {
    key: Arc<PseudonymKey>,
    wrapped: Bytes,
    since_micros: u64,
    uses: u64,
    last_turn: u64,
}

impl Cache {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { limits, kept: Mutex::default() }
    }

    /// The tenant's key, if it was unwrapped from these bytes.
    pub(super) fn of_tenant(&self, tenant: &TenantId, wrapped: &Bytes, now_micros: u64) -> Option<Arc<PseudonymKey>> {
        let mut kept = self.lock();
        kept.turn = kept.turn.saturating_add(1);
        let turn = kept.turn;
        let entry = kept.keys.get_mut(tenant)?;
        if entry.wrapped != *wrapped || entry.is_over(self.limits, now_micros) {
            kept.keys.remove(tenant);
            return None;
        }
        entry.uses = entry.uses.saturating_add(1);
        entry.last_turn = turn;
        Some(Arc::clone(&entry.key))
    }

    pub(super) fn keep(&self, key: &Arc<PseudonymKey>, wrapped: Bytes, now_micros: u64) {
        let mut kept = self.lock();
        if self.limits.entries == 0 {
            return;
        }
        if !kept.keys.contains_key(key.tenant()) && kept.keys.len() >= self.limits.entries {
            kept.make_room(self.limits, now_micros);
        }
        kept.turn = kept.turn.saturating_add(1);
        let entry = Entry { key: Arc::clone(key), wrapped, since_micros: now_micros, uses: 1, last_turn: kept.turn };
        kept.keys.insert(key.tenant().clone(), entry);
    }

    pub(super) fn drop_key(&self, tenant: &TenantId) {
        self.lock().keys.remove(tenant);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().keys.len()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Drops all that are over; if none is, the one that was used longest ago.
    fn make_room(&mut self, limits: CacheLimits, now_micros: u64) {
        let before = self.keys.len();
        self.keys.retain(|_, entry| !entry.is_over(limits, now_micros));
        if self.keys.len() < before {
            return;
        }
        let oldest = self.keys.iter().min_by_key(|(_, entry)| entry.last_turn).map(|(tenant, _)| tenant.clone());
        if let Some(tenant) = oldest {
            self.keys.remove(&tenant);
        }
    }
}

impl Entry {
    fn is_over(&self, limits: CacheLimits, now_micros: u64) -> bool {
        let age = Duration::from_micros(now_micros.saturating_sub(self.since_micros));
        age >= limits.age || self.uses >= limits.uses
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("limits", &self.limits).field("keys", &self.len()).finish()
    }
}
