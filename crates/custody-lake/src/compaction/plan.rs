//! Which small files of one date are to become larger ones.
//!
//! ```text
//! small         = below half of the target, and no row of it marked as deleted
//! in order of   = size class (factor 4), then time: what is merged together was written together
//! group         = as many as fit into the target and into one merge
//! taken         = a settled date: two files or more · a young date: many files, or half of the target in bytes
//! but           = no file is rewritten for less than its own size of others
//! ```
//! The last rule bounds the work: each time a row is rewritten, its file at least doubles. What it leaves small is a handful: each such
//! file is larger than all smaller ones together. No date is off limits, however young: a
//! merge never holds up an append, and today's date is where the small files are; it only waits until there are many.

/// Files that fewer than so many can't be waiting for, while their date is young.
const MANY: usize = 16;

/// Inputs of one merge. Each costs a decoded batch of memory and an open file.
const MOST_INPUTS: usize = 256;

const SIZE_CLASS: u64 = 4;

/// A file, as far as the plan is concerned.
#[derive(Debug, Clone)]
pub(super) struct Piece<T> {
    pub(super) bytes: u64,
    pub(super) modified_at_millis: i64,
    pub(super) file: T,
}

/// Whether a date still gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Young,
    Settled,
}

/// Below so many bytes a file is small.
pub(super) const fn small_below(target_bytes: u64) -> u64 {
    target_bytes / 2
}

/// Groups of files of one date, each to be merged.
pub(super) fn groups<T>(mut pieces: Vec<Piece<T>>, age: Age, target_bytes: u64) -> Vec<Vec<Piece<T>>> {
    pieces.retain(|piece| piece.bytes < small_below(target_bytes));
    pieces.sort_by_key(|piece| (piece.bytes.max(1).ilog(SIZE_CLASS), piece.modified_at_millis));
    let mut groups = Vec::new();
    let mut group: Vec<Piece<T>> = Vec::new();
    for piece in pieces {
        let is_full = bytes(&group).saturating_add(piece.bytes) > target_bytes || group.len() >= MOST_INPUTS;
        if is_full {
            groups.push(std::mem::take(&mut group));
        }
        group.push(piece);
    }
    groups.push(group);
    groups.into_iter().map(without_giants).filter(|group| is_worth_it(group, age, target_bytes)).collect()
}

fn bytes<T>(group: &[Piece<T>]) -> u64 {
    group.iter().map(|piece| piece.bytes).fold(0, u64::saturating_add)
}

/// The group without files that are larger than all others of it together.
fn without_giants<T>(mut group: Vec<Piece<T>>) -> Vec<Piece<T>> {
    loop {
        let largest = (0..).zip(&group).max_by_key(|(_, piece)| piece.bytes).map(|(place, piece)| (place, piece.bytes));
        let Some((place, largest)) = largest else { return group };
        if largest <= bytes(&group).saturating_sub(largest) {
            return group;
        }
        group.remove(place);
    }
}

fn is_worth_it<T>(group: &[Piece<T>], age: Age, target_bytes: u64) -> bool {
    match age {
        Age::Settled => group.len() > 1,
        Age::Young => group.len() >= MANY || (group.len() > 1 && bytes(group) >= small_below(target_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: u64 = 1000;

    fn planned(sizes: &[u64], age: Age) -> Vec<Vec<u64>> {
        let pieces = (0..).zip(sizes).map(|(place, bytes)| Piece { bytes: *bytes, modified_at_millis: place, file: place }).collect();
        groups(pieces, age, TARGET).into_iter().map(|group| group.into_iter().map(|piece| piece.bytes).collect()).collect()
    }

    #[test]
    fn a_settled_date_is_merged_down_to_files_of_the_target_size() {
        assert_eq!(planned(&[400, 400, 350, 350], Age::Settled), [[400, 400], [350, 350]]);
        assert_eq!(planned(&[10, 10], Age::Settled), [[10, 10]]);
    }

    #[test]
    fn what_is_large_or_alone_is_left_alone() {
        assert!(planned(&[500, 600, 5000], Age::Settled).is_empty());
        assert!(planned(&[499], Age::Settled).is_empty());
        assert!(planned(&[], Age::Settled).is_empty());
    }

    #[test]
    fn a_young_date_waits_for_many_files_or_for_half_of_the_target() {
        assert!(planned(&[10; MANY - 1], Age::Young).is_empty());
        assert_eq!(planned(&[10; MANY], Age::Young).len(), 1);
        assert_eq!(planned(&[250, 250], Age::Young), [[250, 250]]);
    }

    #[test]
    fn no_file_is_rewritten_for_less_than_its_own_size_of_others() {
        assert_eq!(planned(&[400, 2, 2, 2], Age::Settled), [[2, 2, 2]]);
        assert_eq!(planned(&[6, 2, 2, 2], Age::Settled), [vec![2, 2, 2, 6]]);
        assert!(planned(&[400, 2], Age::Settled).is_empty());
    }

    #[test]
    fn a_group_has_a_bound_on_files_and_bytes_and_each_file_is_in_one_group() {
        let sizes: Vec<u64> = (0..2000).map(|place| 1 + (place * 7919) % 480).collect();
        let groups = planned(&sizes, Age::Settled);
        for group in &groups {
            assert!(group.len() <= MOST_INPUTS && group.iter().sum::<u64>() <= TARGET, "{group:?}");
            assert!(group.iter().all(|bytes| *bytes <= group.iter().sum::<u64>() - bytes), "{group:?}");
        }
        assert!(groups.iter().map(Vec::len).sum::<usize>() <= sizes.len());
        assert_eq!(planned(&[1; 2 * MOST_INPUTS], Age::Young).len(), 2);
    }
}
