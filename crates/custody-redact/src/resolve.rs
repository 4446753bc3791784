//! Which of the overlapping candidates stand; what the others leave uncovered is hidden with them.
//!
//! ```text
//! lighter   jane.doe@mail.corp.example.com          EMAIL       a piece of its own with its own name,
//! heavier            ──────────────────────          HOST        or, where hardly a letter is left, part of its neighbour
//! stands    ─EMAIL───┴────────HOST──────────
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use crate::entity::{Entity, Family};
use crate::fold::Folded;
use crate::span::{Candidate, Kept, Span};

/// A piece with fewer letters and digits goes with its neighbour: it tells nothing by itself, and is no find to count.
const FEW: usize = 4;

/// Keeps the heaviest of what overlaps, then the longest, then the first; the order in which they were found has no say. All bytes of all
/// candidates are covered by what is kept, except a host behind a password.
pub(crate) fn resolve(text: &str, mut candidates: Vec<Candidate>) -> Vec<Kept> {
    candidates.sort_unstable_by_key(|one| (one.span.start, one.span.end, one.span.entity, one.span.custom, std::cmp::Reverse(one.weight)));
    candidates.dedup_by_key(|one| one.span);
    let mut kept = Vec::new();
    let mut rest = candidates.as_mut_slice();
    while let Some(first) = rest.first() {
        let (mut reach, mut count) = (first.span.end, 0);
        while let Some(next) = rest.get(count).filter(|next| count == 0 || next.span.start < reach) {
            reach = reach.max(next.span.end);
            count += 1;
        }
        let (cluster, others) = rest.split_at_mut(count);
        settle(text, cluster, &mut kept);
        rest = others;
    }
    kept
}

/// One group of candidates that hang together by overlaps.
fn settle(text: &str, cluster: &mut [Candidate], all: &mut Vec<Kept>) {
    if let [only] = cluster {
        all.push(Kept::whole(only.span));
        return;
    }
    cluster.sort_unstable_by_key(|one| {
        let length = one.span.end - one.span.start;
        (std::cmp::Reverse((one.weight, length)), one.span.start, one.span.entity, one.span.custom)
    });
    let mut settled = Settled { text, kept: BTreeMap::new() };
    for candidate in cluster.iter() {
        settled.add(candidate.span);
    }
    all.extend(settled.kept.into_values());
}

/// What stands of a group so far, by where it begins.
struct Settled<'a> {
    text: &'a str,
    kept: BTreeMap<usize, Kept>,
}

impl Settled<'_> {
    fn add(&mut self, span: Span) {
        let free = self.free(span.start..span.end);
        if free.first() == Some(&(span.start..span.end)) {
            self.kept.insert(span.start, Kept::whole(span));
            return;
        }
        for piece in free {
            self.add_piece(span, piece);
        }
    }

    /// The parts of a range that nothing covers yet, in order.
    fn free(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let before = self.kept.range(..=range.start).next_back().map_or(0, |(_, one)| one.span.end);
        let mut reached = range.start.max(before);
        let mut free = Vec::new();
        if reached >= range.end {
            return free;
        }
        for one in self.kept.range(reached..range.end).map(|(_, one)| one.span) {
            #[cfg(test)]
            crate::tests::work(1);
            if reached < one.start {
                free.push(reached..one.start);
            }
            reached = one.end;
        }
        if reached < range.end {
            free.push(reached..range.end);
        }
        free
    }

    /// Something that stands is next to the piece, or it would be whole.
    fn add_piece(&mut self, span: Span, piece: Range<usize>) {
        let before = self.kept.range(..piece.start).next_back().map(|(_, one)| one.span).filter(|one| one.end == piece.start);
        let after = self.kept.get(&piece.end).map(|one| one.span);
        if before.is_some_and(|one| one.entity == Entity::Password) && self.is_host(&span, &piece) {
            return;
        }
        let few = self.letters(&piece) < FEW;
        let is_home = |one: &Span| (one.entity, one.custom) == (span.entity, span.custom) || is_free(one) && is_free(&span);
        if let Some(home) = before.filter(|one| is_home(one) || few && !after.as_ref().is_some_and(is_home)) {
            self.extend(home.start, home.start..piece.end);
        } else if let Some(home) = after.filter(|one| is_home(one) || few) {
            self.extend(home.start, piece.start..home.end);
        } else {
            let span = Span { start: piece.start, end: piece.end, ..span };
            self.kept.insert(piece.start, Kept::rest(span));
        }
    }

    /// Behind a user and a password stands a host, and no one's address: `//app:…@db.internal`.
    fn is_host(&self, span: &Span, piece: &Range<usize>) -> bool {
        span.entity == Entity::Email && self.text.get(piece.clone()).is_some_and(|piece| piece.starts_with('@'))
    }

    fn letters(&self, piece: &Range<usize>) -> usize {
        let Some(piece) = self.text.get(piece.clone()) else { return 0 };
        #[cfg(test)]
        crate::tests::work(piece.len());
        Folded::new(piece).text().chars().filter(|character| character.is_alphanumeric()).count()
    }

    /// What is hidden grows; the value it stands for does not.
    fn extend(&mut self, key: usize, range: Range<usize>) {
        if let Some(mut home) = self.kept.remove(&key) {
            (home.span.start, home.span.end) = (range.start, range.end);
            self.kept.insert(range.start, home);
        }
    }
}

/// A name that turned out to be a street's is no person.
fn is_free(span: &Span) -> bool {
    span.entity.family() == Family::FreeForm
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(entity: Entity, start: usize, end: usize, weight: u8) -> Candidate {
        Candidate { span: Span { start, end, entity, custom: None }, weight }
    }

    fn resolved(candidates: &[Candidate]) -> Vec<(Entity, usize, usize, Range<usize>)> {
        let text = "abcdefgh--ijklmnopqrstuvwxyz0123456789";
        let whole = |one: Kept| (one.span.entity, one.span.start, one.span.end, one.value);
        resolve(text, candidates.to_vec()).into_iter().map(whole).collect()
    }

    #[test]
    fn weight_then_length_decides_in_any_order_and_nothing_is_left() {
        use Entity::{Email, Iban, Phone, Url};
        let all = [
            candidate(Email, 0, 7, 10),
            candidate(Phone, 5, 14, 20),
            candidate(Email, 12, 20, 10),
            candidate(Iban, 14, 19, 10),
            candidate(Url, 30, 31, 1),
            candidate(Url, 30, 31, 1),
        ];
        let expected = [(Email, 0, 5, 0..0), (Phone, 5, 14, 5..14), (Email, 14, 20, 0..0), (Url, 30, 31, 30..31)];
        for turn in 0..all.len() {
            let mut turned = all.to_vec();
            turned.rotate_left(turn);
            assert_eq!(resolved(&turned), expected, "turn {turn}");
        }
    }

    #[test]
    fn little_that_is_left_and_more_of_the_same_go_with_their_neighbour() {
        use Entity::{Email, Phone};
        assert_eq!(resolved(&[candidate(Phone, 0, 8, 20), candidate(Email, 2, 10, 10)]), [(Phone, 0, 10, 0..8)], "signs");
        assert_eq!(resolved(&[candidate(Phone, 3, 8, 20), candidate(Email, 0, 5, 10)]), [(Phone, 0, 8, 3..8)], "three letters");
        assert_eq!(resolved(&[candidate(Phone, 10, 16, 20), candidate(Phone, 12, 30, 10)]), [(Phone, 10, 30, 10..16)], "the same");
        let street = [candidate(Entity::StreetAddress, 10, 20, 20), candidate(Entity::Person, 16, 30, 10)];
        assert_eq!(resolved(&street), [(Entity::StreetAddress, 10, 30, 10..20)], "a name in a street");
        let both = [candidate(Phone, 10, 16, 20), candidate(Email, 18, 26, 20), candidate(Email, 12, 20, 10)];
        assert_eq!(resolved(&both), [(Phone, 10, 16, 10..16), (Email, 16, 26, 18..26)], "its own kind first");
    }
}
