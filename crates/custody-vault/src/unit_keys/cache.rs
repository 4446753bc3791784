//! Unwrapped keys in memory, bounded three ways. A key that falls out is wiped as soon as the last one who uses it is done.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use custody_seal::rest::{ShredUnit, UnitKey, UnitKeyId};

/// How many keys are kept unwrapped, how long, and for how many uses each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Most keys at once.
    pub entries: usize,
    /// Longest time since a key was unwrapped.
    pub age: Duration,
    /// How often a key is handed out before the key service is asked again.
    pub uses: u64,
}

pub(super) struct Cache {
    limits: CacheLimits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<UnitKeyId, Entry>,
    /// Which key seals a unit.
    sealing: HashMap<ShredUnit, UnitKeyId>,
    /// Counts every use, to find the key that was used longest ago.
    turn: u64,
}

struct Entry {
    key: Arc<UnitKey>,
    since_micros: u64,
    uses: u64,
    last_turn: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 4_096, age: Duration::from_secs(300), uses: 100_000 }
    }
}

impl Cache {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { limits, kept: Mutex::new(Kept::default()) }
    }

    pub(super) fn of_unit(&self, unit: &ShredUnit, now_micros: u64) -> Option<Arc<UnitKey>> {
        let mut kept = self.lock();
        let id = kept.sealing.get(unit).copied()?;
        kept.take(id, self.limits, now_micros)
    }

    pub(super) fn of_key(&self, unit: &ShredUnit, id: UnitKeyId, now_micros: u64) -> Option<Arc<UnitKey>> {
        self.lock().take(id, self.limits, now_micros).filter(|key| key.unit() == unit)
    }

    pub(super) fn keep(&self, key: &Arc<UnitKey>, now_micros: u64) {
        let mut kept = self.lock();
        if self.limits.entries == 0 {
            return;
        }
        if !kept.keys.contains_key(&key.id()) && kept.keys.len() >= self.limits.entries {
            kept.make_room(self.limits, now_micros);
        }
        kept.turn = kept.turn.saturating_add(1);
        let entry = Entry { key: Arc::clone(key), since_micros: now_micros, uses: 1, last_turn: kept.turn };
        kept.keys.insert(key.id(), entry);
        kept.sealing.insert(key.unit().clone(), key.id());
    }

    pub(super) fn drop_key(&self, id: UnitKeyId) {
        self.lock().forget(id);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().keys.len()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, id: UnitKeyId, limits: CacheLimits, now_micros: u64) -> Option<Arc<UnitKey>> {
        self.turn = self.turn.saturating_add(1);
        let turn = self.turn;
        let entry = self.keys.get_mut(&id)?;
        if entry.is_over(limits, now_micros) {
            self.forget(id);
            return None;
        }
        entry.uses = entry.uses.saturating_add(1);
        entry.last_turn = turn;
        Some(Arc::clone(&entry.key))
    }

    fn forget(&mut self, id: UnitKeyId) {
        if let Some(entry) = self.keys.remove(&id)
            && self.sealing.get(entry.key.unit()) == Some(&id)
        {
            self.sealing.remove(entry.key.unit());
        }
    }

    /// Drops all that are over; if none is, the one that was used longest ago.
    fn make_room(&mut self, limits: CacheLimits, now_micros: u64) {
        let over: Vec<UnitKeyId> = self.keys.iter().filter(|(_, entry)| entry.is_over(limits, now_micros)).map(|(id, _)| *id).collect();
        let oldest = self.keys.iter().min_by_key(|(_, entry)| entry.last_turn).map(|(id, _)| *id);
        let gone = if over.is_empty() { oldest.into_iter().collect() } else { over };
        for id in gone {
            self.forget(id);
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
