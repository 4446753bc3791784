//! What must be read again once values were replaced: the text around each marker, measured in characters as the rules read them.

use std::ops::Range;

use crate::fold::Folded;

/// How far from a marker something may begin that sees it: as far before it as the longest form goes, farther after it than contexts and
/// e-mail addresses look back.
const REACH: usize = 1536;

/// How much is read before that, for contexts, and after it, for the ends of forms.
const BEFORE: usize = 256;
const AFTER: usize = 1536;

/// Part of a text: finds that begin in `window` count, and `slice` is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) window: Range<usize>,
    pub(crate) slice: Range<usize>,
}

/// The neighbourhoods of markers, in order and apart.
pub(crate) fn of(text: &str, markers: &[Range<usize>]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut rest = markers;
    while let Some(first) = rest.first() {
        let hangs = |(one, next): &(&Range<usize>, &Range<usize>)| folded(text, one.end..next.start) <= REACH + AFTER;
        let count = 1 + rest.iter().zip(rest.iter().skip(1)).take_while(hangs).count();
        let (group, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        // Each stretch between markers is measured once, and what lies beyond a group from its ends alone.
        let start = back(text, first.start, REACH);
        let end = forward(text, group.last().unwrap_or(first).end, REACH);
        stretches.push(Stretch { window: start..end, slice: back(text, start, BEFORE)..forward(text, end, AFTER) });
        rest = others;
    }
    // What was walked back over may reach into the stretch before.
    let mut reached = 0;
    for stretch in &mut stretches {
        stretch.window.start = stretch.window.start.max(reached);
        reached = stretch.window.end;
    }
    stretches
}

fn folded(text: &str, range: Range<usize>) -> usize {
    text.get(range).map_or(0, |piece| Folded::new(piece).text().len())
}

/// The place so many folded bytes before another; characters that are dropped do not count.
fn back(text: &str, from: usize, reach: usize) -> usize {
    let mut bytes = reach;
    loop {
        let start = text.floor_char_boundary(from.saturating_sub(bytes));
        let folded = text.get(start..from).map_or(reach, |piece| Folded::new(piece).text().len());
        if start == 0 || folded >= reach {
            return start;
        }
        bytes = bytes.saturating_mul(2);
    }
}

/// The place so many folded bytes after another.
fn forward(text: &str, from: usize, reach: usize) -> usize {
    let mut bytes = reach;
    loop {
        let end = text.ceil_char_boundary(text.len().min(from.saturating_add(bytes)));
        let folded = text.get(from..end).map_or(reach, |piece| Folded::new(piece).text().len());
        if end == text.len() || folded >= reach {
            return end;
        }
        bytes = bytes.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbourhoods_are_apart_and_dropped_characters_take_no_room() {
        let text = format!("{}[EMAIL]{}[EMAIL]{}", "x ".repeat(5000), "y ".repeat(5000), "\u{200b}".repeat(9000));
        let second = 20_007;
        let found = of(&text, &[10_000..10_007, second..second + 7]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].window, 10_000 - REACH..10_007 + REACH);
        assert_eq!(found[1].window, second - REACH..text.len());
        let near = of(&text, &[10_000..10_007, 12_000..12_007]);
        assert_eq!(near.len(), 1);
        assert_eq!(near[0].slice, 10_000 - REACH - BEFORE..12_007 + REACH + AFTER);
    }
}
