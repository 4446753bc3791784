//! Room arithmetic, pure. An intent is admitted only when the room for its outcome is already allocated on disk.
//!
//! ```text
//! allocated = rest of the active segment + whole spares            a unit never straddles two segments
//! usable    = allocated − reserve × (segments − 1)                 the most that outcomes can waste at each border
//! invariant = usable ≥ reserved                                    holds after every accepted unit
//! ```
//! A close of at most one reserve keeps the invariant: it takes from `usable` no more than the reserve it gives back.

/// Room as it will be once everything enqueued is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes left in the segment that the next unit is meant for.
    pub tail: u64,
    /// Whole segments ready behind it.
    pub spares: u64,
    /// Bytes for frames in a whole segment.
    pub segment: u64,
    /// Reserve of one open request.
    pub reserve: u64,
    /// Open requests.
    pub open: u64,
}

impl Room {
    /// Room after a unit of `bytes`, or nothing where no allocated segment takes it.
    pub(crate) fn place(mut self, bytes: u64) -> Option<Self> {
        if bytes > self.tail {
            self.spares = self.spares.checked_sub(1)?;
            self.tail = self.segment;
        }
        self.tail = self.tail.checked_sub(bytes)?;
        Some(self)
    }

    /// The same room with one more open request.
    pub(crate) fn opened(mut self) -> Self {
        self.open = self.open.saturating_add(1);
        self
    }

    /// The same room with one open request fewer.
    pub(crate) fn closed(mut self) -> Self {
        self.open = self.open.saturating_sub(1);
        self
    }

    pub(crate) fn reserved(&self) -> u64 {
        self.open.saturating_mul(self.reserve)
    }

    pub(crate) fn allocated(&self) -> u64 {
        self.tail.saturating_add(self.spares.saturating_mul(self.segment))
    }

    /// Whether every open request can still write its outcome.
    pub(crate) fn keeps_promises(&self) -> bool {
        let wasted = self.spares.saturating_mul(self.reserve);
        self.allocated().saturating_sub(wasted) >= self.reserved()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Plain(u64),
        Open(u64),
        Close(u64),
        Spare,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..300u64).prop_map(Step::Plain),
            (1..200u64).prop_map(Step::Open),
            (1..=50u64).prop_map(Step::Close),
            Just(Step::Spare)
        ]
    }

    proptest! {
        /// Issue 2, must-show 5: a request that was admitted can always write its outcome, whatever happened in between.
        #[test]
        fn an_admitted_outcome_always_finds_room(steps in prop::collection::vec(step(), 1..200)) {
            let mut room = Room { tail: 1000, spares: 1, segment: 1000, reserve: 50, open: 0 };
            for step in steps {
                match step {
                    Step::Plain(bytes) => room = room.place(bytes).filter(Room::keeps_promises).unwrap_or(room),
                    Step::Open(bytes) => room = room.place(bytes).map(Room::opened).filter(Room::keeps_promises).unwrap_or(room),
                    Step::Spare => room.spares = (room.spares + 1).min(2),
                    Step::Close(bytes) if room.open > 0 => {
                        let after = room.place(bytes).map(Room::closed);
                        prop_assert!(after.is_some_and(|after| after.keeps_promises()), "{room:?} {bytes}");
                        room = after.unwrap_or(room);
                    }
                    Step::Close(_) => {}
                }
            }
        }
    }
}
