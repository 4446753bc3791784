//! One pass over a text: candidates from each place where a word begins, from each `@`, and from what base64 hides.

use std::ops::Range;

use crate::blocks::{Ahead, Blocks};
use crate::context::{Context, Reader};
use crate::custom::Custom;
use crate::entity::{Entity, Family};
use crate::forms::{Forms, Walker};
use crate::long_run::Cuts;
use crate::rules::{Rules, RulesError};
use crate::starts::{Start, start_at};
use crate::table::{self, Need, Part, Rule};
use crate::{email, encoded, marker, part};

/// Everything that is built once.
pub(crate) struct Scanner {
    rules: Vec<Rule>,
    forms: Forms,
    context: Context,
    custom: Custom,
    emails: bool,
}

/// A find in folded text.
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    pub(crate) entity: Entity,
    pub(crate) weight: u8,
    pub(crate) custom: Option<u16>,
    pub(crate) way: Way,
}

/// Where something was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the text itself.
    Plain,
    /// In what a run of base64 hides.
    Run,
    /// The same, and the run begins before the text or goes on behind it.
    CutRun,
}

const CUSTOM_WEIGHT: u8 = 120;
const EMAIL_WEIGHT: u8 = 69;

impl Scanner {
    pub(crate) fn new(rules: &Rules) -> Result<Self, RulesError> {
        let custom = Custom::new(rules)?;
        let wanted = rules.entities.iter().fold(0, |set, entity| set | entity.bit());
        let table = table::rules(wanted);
        Ok(Self {
            forms: Forms::new(&table)?,
            context: Context::new().map_err(|_| RulesError::TooLarge)?,
            custom,
            emails: rules.entities.contains(&Entity::Email),
            rules: table,
        })
    }

    pub(crate) fn custom_name(&self, index: u16) -> Option<&str> {
        self.custom.name(index)
    }

    pub(crate) const fn has_custom(&self) -> bool {
        self.custom.is_some()
    }

    fn is_marker_name(&self, name: &[u8]) -> bool {
        Entity::ALL.iter().any(|entity| entity.name().as_bytes() == name) || self.custom.has_name(name)
    }

    /// Reports every candidate in folded text, decoding base64 on the way.
    pub(crate) fn scan(&self, text: &str, cuts: &Cuts, found: &mut dyn FnMut(Found)) {
        let mut walker = self.forms.walker();
        let mut runs = Vec::new();
        self.pass(&mut walker, text, found, Some(&mut runs));
        let bytes = text.as_bytes();
        let begun = cuts.begins_inside.map(|is_text| (0..encoded::end(bytes, 0), is_text));
        let behind = begun.as_ref().map_or(0, |(run, _)| run.end);
        let whole = runs.into_iter().filter(|run| run.start >= behind);
        let whole = whole.filter(|run| bytes.get(run.clone()).is_some_and(encoded::is_text));
        for run in begun.into_iter().filter_map(|(run, is_text)| is_text.then_some(run)).chain(whole) {
            let Some(decoded) = bytes.get(run.clone()).and_then(encoded::decode) else { continue };
            let cut = (run.start == 0 && cuts.begins_inside.is_some(), run.end == bytes.len() && cuts.ends_inside);
            let way = if cut.0 || cut.1 { Way::CutRun } else { Way::Run };
            if let Some(best) = self.heaviest(&mut walker, &decoded, cut) {
                found(Found { range: run, way, ..best });
            }
        }
    }

    /// What a run's text is told to hold.
    fn heaviest(&self, walker: &mut Walker<'_>, text: &str, cut: (bool, bool)) -> Option<Found> {
        let mut best: Option<Found> = None;
        let mut weigh = |inner: Found| {
            if Cuts::leave_whole(&inner.range, text.len(), cut) && best.as_ref().is_none_or(|best| best.weight < inner.weight) {
                best = Some(inner);
            }
        };
        self.pass(walker, text, &mut weigh, None);
        best
    }

    fn pass(&self, walker: &mut Walker<'_>, text: &str, found: &mut dyn FnMut(Found), mut runs: Option<&mut Vec<Range<usize>>>) {
        let bytes = text.as_bytes();
        self.custom.find(text, |range, index| {
            if !marker::is_touched(bytes, &range, |name| self.is_marker_name(name)) {
                found(Found { range, entity: Entity::Custom, weight: CUSTOM_WEIGHT, custom: Some(index), way: Way::Plain });
            }
        });
        let alone = alone(bytes);
        let mut context = self.context.reader(bytes);
        let mut skipped = 0;
        for (at, ahead) in Blocks::of(bytes) {
            if at < skipped {
                continue;
            }
            match start_at(bytes, at) {
                Start::No => {}
                Start::Bracket => {
                    let marker = bytes.get(at..).and_then(|rest| marker::length(rest, |name| self.is_marker_name(name)));
                    skipped = at + marker.unwrap_or(0);
                }
                Start::At => {
                    if let Some(range) = self.emails.then(|| email::around(bytes, at)).flatten() {
                        found(Found { range, entity: Entity::Email, weight: EMAIL_WEIGHT, custom: None, way: Way::Plain });
                    }
                }
                start @ (Start::Word | Start::Hump) => {
                    if ahead.run() >= encoded::SHORTEST
                        && let Some(runs) = runs.as_deref_mut()
                    {
                        runs.extend(encoded::run(bytes, at));
                    }
                    let place = Place { text: bytes, start: at, hump: matches!(start, Start::Hump), alone: &alone };
                    self.try_rules(walker, &mut context, &place, ahead, found);
                }
            }
        }
    }

    #[inline]
    fn try_rules(&self, walker: &mut Walker<'_>, context: &mut Reader<'_>, place: &Place<'_>, ahead: Ahead, found: &mut dyn FnMut(Found)) {
        let mut topics = None;
        self.forms.walk(walker, place.text, place.start, ahead, |index, end| {
            let Some(rule) = self.rules.get(index) else { return };
            if !place.has_edges(rule, end) {
                return;
            }
            let Some(range) = part::of(place.text, place.start..end, rule.part) else { return };
            let Some(value) = place.text.get(range.clone()) else { return };
            if !(rule.check)(value) {
                return;
            }
            let wanted = match rule.need {
                Need::Nothing => None,
                Need::NearOrAlone(_) if *place.alone == range => None,
                Need::Near(wanted) | Need::NearOrAlone(wanted) => Some(wanted),
            };
            let mut near = || *topics.get_or_insert_with(|| context.topics(place.start));
            if wanted.is_none_or(|wanted| near() & wanted != 0) {
                found(Found { range, entity: rule.entity, weight: rule.weight, custom: None, way: Way::Plain });
            }
        });
    }
}

/// A place where forms are tried.
struct Place<'a> {
    text: &'a [u8],
    start: usize,
    /// A capital inside a word: `dbPassword`. Only names of values begin there.
    hump: bool,
    /// What the whole text holds besides spaces and punctuation.
    alone: &'a Range<usize>,
}

impl Place<'_> {
    /// Whether a form that ends here is a word of its own.
    fn has_edges(&self, rule: &Rule, end: usize) -> bool {
        let after = self.text.get(end).copied().unwrap_or(b' ');
        if self.hump && rule.part != Part::Value {
            return false;
        }
        if rule.entity.family() == Family::Secret {
            return !matches!(after, b'_' | b'-') || rule.part != Part::Whole;
        }
        if rule.entity == Entity::IpAddress && self.is_cut_address(end) {
            return false;
        }
        !rule.apart || !(self.is_joined_before() || self.is_joined_after(end))
    }

    fn is_joined_before(&self) -> bool {
        let digit = |back: usize| self.start.checked_sub(back).and_then(|at| self.text.get(at)).is_some_and(u8::is_ascii_digit);
        let sign = self.start.checked_sub(1).and_then(|at| self.text.get(at));
        matches!(sign, Some(b'-' | b'.' | b'+')) && digit(2) && self.text.get(self.start).is_some_and(u8::is_ascii_digit)
    }

    /// Another group follows: what was matched is the beginning of something that is no address.
    fn is_cut_address(&self, end: usize) -> bool {
        let more = self.text.get(end + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b':');
        let groups = self.text.get(self.start..end).is_some_and(|address| address.contains(&b':'));
        self.text.get(end) == Some(&b':') && more && groups
    }

    fn is_joined_after(&self, end: usize) -> bool {
        matches!(self.text.get(end), Some(b'-' | b'.'))
            && self.text.get(end + 1).is_some_and(u8::is_ascii_digit)
            && self.text.get(end - 1).is_some_and(u8::is_ascii_digit)
    }
}

/// The text without the spaces and punctuation around it.
fn alone(text: &[u8]) -> Range<usize> {
    let quiet = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'.' | b',' | b';');
    let start = text.iter().position(|byte| !quiet(byte)).unwrap_or(0);
    let end = text.iter().rposition(|byte| !quiet(byte)).map_or(0, |last| last + 1);
    start..end.max(start)
}
