//! Which of the overlapping candidates stand.

use crate::span::{Candidate, Span};

/// Keeps the heaviest of what overlaps, then the longest, then the first; the order in which they were found has no say.
pub(crate) fn resolve(mut candidates: Vec<Candidate>) -> Vec<Span> {
    candidates.sort_unstable_by_key(|one| (one.span.start, one.span.end, one.span.entity));
    let mut spans = Vec::new();
    let mut rest = candidates.as_mut_slice();
    while let Some(first) = rest.first() {
        let (mut reach, mut count) = (first.span.end, 0);
        while let Some(next) = rest.get(count).filter(|next| count == 0 || next.span.start < reach) {
            reach = reach.max(next.span.end);
            count += 1;
        }
        let (cluster, others) = rest.split_at_mut(count);
        settle(cluster, &mut spans);
        rest = others;
    }
    spans
}

/// One group of candidates that hang together by overlaps.
fn settle(cluster: &mut [Candidate], spans: &mut Vec<Span>) {
    if let [only] = cluster {
        spans.push(only.span);
        return;
    }
    cluster.sort_unstable_by_key(|one| {
        let length = one.span.end - one.span.start;
        (std::cmp::Reverse((one.weight, length)), one.span.start, one.span.entity, one.span.custom)
    });
    let mut kept = std::collections::BTreeMap::new();
    for candidate in cluster.iter() {
        let before = kept.range(..candidate.span.end).next_back();
        if before.is_none_or(|(_, span): (_, &Span)| span.end <= candidate.span.start) {
            kept.insert(candidate.span.start, candidate.span);
        }
    }
    spans.extend(kept.into_values());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::Entity;

    fn candidate(start: usize, end: usize, weight: u8) -> Candidate {
        Candidate { span: Span { start, end, entity: Entity::Email, custom: None }, weight }
    }

    #[test]
    fn weight_then_length_decides_in_any_order() {
        let all = [candidate(0, 5, 10), candidate(3, 9, 20), candidate(8, 12, 10), candidate(9, 14, 10), candidate(20, 21, 1)];
        let expected: Vec<_> = [(3, 9), (9, 14), (20, 21)].to_vec();
        for turn in 0..all.len() {
            let mut turned = all.to_vec();
            turned.rotate_left(turn);
            let spans: Vec<_> = resolve(turned).iter().map(|span| (span.start, span.end)).collect();
            assert_eq!(spans, expected);
        }
    }
}
