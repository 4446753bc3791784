//! Counts over the last while: a ring of slices, of which the oldest is given up as time goes on.

/// A slice is a tenth of the window: what is counted is never more than a tenth of it too old.
const SLICES: usize = 10;

/// Two counts of the same kind of thing: all, and those that are marked.
#[derive(Debug, Clone)]
pub(super) struct Window {
    slice_us: u64,
    /// Number of the slice that is counted into, since the clock's start.
    current: u64,
    slices: [Counts; SLICES],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) all: u64,
    pub(super) marked: u64,
}

impl Window {
    pub(super) fn new(window_us: u64) -> Self {
        Self { slice_us: (window_us / SLICES as u64).max(1), current: 0, slices: [Counts::default(); SLICES] }
    }

    pub(super) fn count(&mut self, now_us: u64, marked: bool) {
        self.advance(now_us);
        let place = self.current as usize % SLICES;
        if let Some(slice) = self.slices.get_mut(place) {
            slice.all += 1;
            slice.marked += u64::from(marked);
        }
    }

    pub(super) fn counts(&mut self, now_us: u64) -> Counts {
        self.advance(now_us);
        let add = |sum: Counts, slice: &Counts| Counts { all: sum.all + slice.all, marked: sum.marked + slice.marked };
        self.slices.iter().fold(Counts::default(), add)
    }

    pub(super) fn clear(&mut self) {
        self.slices = [Counts::default(); SLICES];
    }

    /// A clock that stands or steps back changes nothing.
    fn advance(&mut self, now_us: u64) {
        let target = now_us / self.slice_us;
        if target <= self.current {
            return;
        }
        let passed = (target - self.current).min(SLICES as u64);
        for step in 1..=passed {
            let place = (target - passed + step) as usize % SLICES;
            if let Some(slice) = self.slices.get_mut(place) {
                *slice = Counts::default();
            }
        }
        self.current = target;
    }
}
