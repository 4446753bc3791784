//! What was last seen of a provider, and what of it is news. What can't be known any more is forgotten, but not what was told: a
//! server that comes and goes is no news each time about its models.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use custody_model::{Capacity, ModelList, ProbeError};
use custody_types::{ModelName, RouteName, Text};

use super::change::{Change, Reach};

/// Every provider that is asked.
pub(super) type Health = BTreeMap<Text, Arc<Seen>>;

/// One provider's last answers.
#[derive(Debug, Default)]
pub(super) struct Seen {
    down: AtomicBool,
    state: Mutex<State>,
}

/// The same, for figures.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// How far a question gets; none before the first answer.
    pub(super) reach: Option<Reach>,
    /// How long the last list took, or its failure.
    pub(super) took: Duration,
    /// Whether each route's model is listed; empty where no list is known.
    pub(super) listed: BTreeMap<RouteName, bool>,
    /// How busy it says it is.
    pub(super) capacity: Option<Capacity>,
    /// Questions without an answer, by what was asked and what went wrong.
    pub(super) failures: BTreeMap<(&'static str, &'static str), u64>,
    told_unlisted: BTreeSet<RouteName>,
    told_silent: bool,
}

impl Seen {
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    pub(super) fn state(&self) -> State {
        self.lock().clone()
    }

    /// Keeps an answer about models, and returns what of it is news.
    pub(super) fn note_list(
        &self,
        routes: &BTreeMap<RouteName, ModelName>,
        answer: Result<ModelList, ProbeError>,
        took: Duration,
    ) -> Vec<Change> {
        let reach = Reach::of(answer.as_ref().err());
        self.down.store(reach == Reach::Away, Ordering::Relaxed);
        let mut state = self.lock();
        let before = state.reach.replace(reach);
        state.took = took;
        state.listed.clear();
        let mut changes = Vec::new();
        if before.unwrap_or(Reach::Listing) != reach {
            changes.push(Change::Reach(reach, answer.as_ref().err().copied()));
        }
        match answer {
            Ok(list) => {
                let found = routes.iter().map(|(route, model)| (route.clone(), list.serves(model.as_str())));
                state.listed.extend(found);
                changes.extend(state.news_of_models());
            }
            Err(error) => *state.failures.entry(("models", error.reason())).or_default() += 1,
        }
        if reach == Reach::Away {
            state.capacity = None;
        }
        changes
    }

    /// Keeps an answer about capacity, and returns what of it is news.
    pub(super) fn note_capacity(&self, answer: Result<Capacity, ProbeError>) -> Option<Change> {
        let mut state = self.lock();
        state.capacity = answer.ok();
        let error = answer.err();
        if let Some(error) = error {
            *state.failures.entry(("capacity", error.reason())).or_default() += 1;
        }
        let told = std::mem::replace(&mut state.told_silent, error.is_some());
        (told != error.is_some()).then_some(Change::Capacity(error))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn news_of_models(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (route, listed) in &self.listed {
            let news = if *listed { self.told_unlisted.remove(route) } else { self.told_unlisted.insert(route.clone()) };
            if news {
                changes.push(Change::Listed(route.clone(), *listed));
            }
        }
        changes
    }
}
