//! Sums by the keys that were asked for, and of all.

use std::collections::BTreeMap;

use clap::ValueEnum;
use custody_price::{PriceBook, Sum};

use super::Dimension;
use crate::terminal::say;

/// Wide enough for most names; a longer one moves its line.
const NAME: usize = 28;
const AMOUNT: usize = 24;

/// Recorded and new, of one group. Each cost event is once in each of the first two sums, with its amount or its finding.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) costs: u64,
    /// Of them, those that do not tell what chose their price.
    pub(super) without_facts: u64,
    pub(super) recorded: Sum,
    pub(super) new: Sum,
    /// Only of what read from a cache.
    pub(super) saved: Sum,
}

pub(super) struct Table<'a> {
    by: &'a [Dimension],
    with_savings: bool,
    groups: BTreeMap<Vec<String>, Sums>,
}

impl<'a> Table<'a> {
    pub(super) const fn new(by: &'a [Dimension], with_savings: bool) -> Self {
        Self { by, with_savings, groups: BTreeMap::new() }
    }

    /// The sums of the group that the values name.
    pub(super) fn sums(&mut self, value: impl FnMut(Dimension) -> String) -> &mut Sums {
        self.groups.entry(self.by.iter().copied().map(value).collect()).or_default()
    }

    pub(super) fn print(&self, book: &PriceBook) {
        let titles = self.by.iter().map(|key| key.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned()));
        let saved = if self.with_savings { format!(" {:>AMOUNT$}", "saved by caches USD") } else { String::new() };
        let by_book = format!("by book {}", book.version());
        say(&format!("{} {:>9} {:>AMOUNT$} {by_book:>AMOUNT$}{saved}", names(titles), "costs", "recorded USD"));
        let mut whole = Sums::default();
        for (values, sums) in &self.groups {
            self.print_line(values.iter().cloned(), sums);
            whole.merge(sums);
        }
        let blank = std::iter::repeat_n(String::new(), self.by.len().saturating_sub(1));
        self.print_line(std::iter::once("all".to_owned()).chain(blank), &whole);
        if whole.without_facts > 0 {
            let count = whole.without_facts;
            say(&format!("{count} of them do not record class of service, profile and variant: standard was taken, in the route's Region"));
        }
    }

    fn print_line(&self, values: impl Iterator<Item = String>, sums: &Sums) {
        let saved = if self.with_savings { format!(" {:>AMOUNT$}", sums.saved.to_string()) } else { String::new() };
        let (recorded, new) = (sums.recorded.to_string(), sums.new.to_string());
        say(&format!("{} {:>9} {recorded:>AMOUNT$} {new:>AMOUNT$}{saved}", names(values), sums.costs));
        say_findings("recorded without amount", &sums.recorded);
        say_findings("without amount by this book", &sums.new);
        if self.with_savings {
            say_findings("cache reads whose savings have no amount", &sums.saved);
        }
    }
}

impl Sums {
    fn merge(&mut self, other: &Self) {
        self.costs += other.costs;
        self.without_facts += other.without_facts;
        self.recorded.merge(&other.recorded);
        self.new.merge(&other.new);
        self.saved.merge(&other.saved);
    }
}

fn names(values: impl Iterator<Item = String>) -> String {
    values.map(|value| format!("{value:<NAME$}")).collect::<Vec<_>>().join(" ")
}

fn say_findings(what: &str, sum: &Sum) {
    for (finding, count) in sum.findings() {
        say(&format!("    {what}: {count} ({finding})"));
    }
}
