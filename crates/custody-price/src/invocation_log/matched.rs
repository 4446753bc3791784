//! Which call of the provider's log is which attempt of ours.
//!
//! ```text
//! 1  the provider's id, of which each side has one                  → joined by it
//! 2  our request id, left on each side exactly once                 → joined by it: the answer, and with it the id, never came
//! 3  a record of an id that was joined before                       → repeated: log stores deliver more than once
//! 4  anything left                                                  → only logged, or only recorded
//! ```

use std::collections::{BTreeMap, BTreeSet};

use custody_types::{RequestId, Text};

use super::LoggedCall;

/// One attempt as our events tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// Our request.
    pub request_id: RequestId,
    /// Its attempt.
    pub attempt: i32,
    /// Bedrock's id, where an answer said it.
    pub provider_request_id: Option<Text>,
}

/// By what two were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinedBy {
    /// The provider's id.
    ProviderRequestId,
    /// Our id.
    OwnRequestId,
}

/// What became of one record or attempt; numbers are places in the lists that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Both tell of it.
    Both {
        /// The record.
        logged: usize,
        /// The attempt.
        recorded: usize,
        /// How that is known.
        by: JoinedBy,
    },
    /// The same record once more.
    Repeated(usize),
    /// Only the provider tells of it.
    OnlyLogged(usize),
    /// Only we tell of it.
    OnlyRecorded(usize),
}

/// Joins two lists; each record and each attempt is in exactly one match.
#[must_use]
pub fn matches(logged: &[LoggedCall], recorded: &[RecordedCall]) -> Vec<Match> {
    let mut found = Vec::new();
    let (mut left, mut attempts_left) = (Vec::new(), (0..recorded.len()).collect::<BTreeSet<usize>>());
    let by_provider: BTreeMap<&Text, usize> =
        recorded.iter().enumerate().filter_map(|(place, call)| Some((call.provider_request_id.as_ref()?, place))).collect();
    let mut seen: BTreeSet<&Text> = BTreeSet::new();
    for (place, call) in logged.iter().enumerate() {
        if !seen.insert(&call.provider_request_id) {
            found.push(Match::Repeated(place));
            continue;
        }
        match by_provider.get(&call.provider_request_id).filter(|attempt| attempts_left.remove(attempt)) {
            Some(attempt) => found.push(Match::Both { logged: place, recorded: *attempt, by: JoinedBy::ProviderRequestId }),
            None => left.push((place, call)),
        }
    }
    let mut calls_of: BTreeMap<RequestId, usize> = BTreeMap::new();
    left.iter().filter_map(|(_, call)| call.own_request_id).for_each(|id| *calls_of.entry(id).or_default() += 1);
    for (place, call) in left {
        let alone = call.own_request_id.filter(|id| calls_of.get(id) == Some(&1));
        match alone.and_then(|id| only_attempt(recorded, &attempts_left, id)) {
            Some(attempt) => {
                attempts_left.remove(&attempt);
                found.push(Match::Both { logged: place, recorded: attempt, by: JoinedBy::OwnRequestId });
            }
            None => found.push(Match::OnlyLogged(place)),
        }
    }
    found.extend(attempts_left.into_iter().map(Match::OnlyRecorded));
    found
}

/// The one attempt of a request that is left and whose provider's id is not known; two would be a guess.
fn only_attempt(recorded: &[RecordedCall], left: &BTreeSet<usize>, id: RequestId) -> Option<usize> {
    let of_request = |place: &&usize| recorded.get(**place).is_some_and(|call| call.request_id == id && call.provider_request_id.is_none());
    let mut attempts = left.iter().filter(of_request);
    attempts.next().filter(|_| attempts.next().is_none()).copied()
}
