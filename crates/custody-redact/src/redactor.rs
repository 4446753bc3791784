//! Finding and replacing in texts of any size.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use crate::encoded;
use crate::entity::{Entity, Family};
use crate::fold::Folded;
use crate::marker;
use crate::nearby::{self, Stretch};
use crate::resolve::resolve;
use crate::rules::{Action, Rules, RulesError};
use crate::scan::Scanner;
use crate::span::{Candidate, Span};

/// A text is read in windows of this size, each with so much around it that whatever begins inside is seen whole.
const WINDOW: usize = 1 << 20;
const AROUND: usize = 16 << 10;

/// What stands in place of one find may bring its neighbours within a rule's reach, so that those are read again until nothing more is
/// found. Each round replaces something, and in practice the second finds nothing; the bound is for the deployment's own patterns, which
/// could eat a text one character a round.
const ROUNDS: usize = 16;

/// A tenant's keyed function: the same value gives the same number, and without the key nobody can try values.
pub type Pseudonyms<'a> = &'a dyn Fn(Entity, &str) -> u64;

/// Finds and replaces what its rules name. Building one is costly; using it from many threads is not.
pub struct Redactor {
    scanner: Scanner,
    actions: BTreeMap<Entity, Action>,
    asks_for_pseudonyms: bool,
}

/// The default rules, built when they are first asked for: one for all of a process that has no rules of its own for a text.
static STANDARD: LazyLock<Option<Redactor>> = LazyLock::new(|| Redactor::new(&Rules::default()).ok());

/// The default rules. Nothing if they cannot be built, which would be a defect; whoever asks then treats the text as found.
#[must_use]
pub fn standard() -> Option<&'static Redactor> {
    STANDARD.as_ref()
}

/// A text with markers in it, and how many of each kind.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text that is left.
    pub text: String,
    /// How many were replaced, by the name in their marker.
    pub counts: BTreeMap<String, u64>,
}

impl Redactor {
    /// Builds the automata of the rules.
    ///
    /// # Errors
    /// When one of the deployment's own words or patterns cannot be used.
    pub fn new(rules: &Rules) -> Result<Self, RulesError> {
        let asks_for_pseudonyms = rules.ask_for_pseudonyms();
        Ok(Self { scanner: Scanner::new(rules)?, actions: rules.actions.clone(), asks_for_pseudonyms })
    }

    /// What the text holds: in order, on character boundaries, without overlaps.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Span> {
        if cfg!(feature = "unsealed") {
            return Vec::new();
        }
        self.find_within(text, &[whole(text)])
    }

    /// How many of each kind, by the kind's name; all of a deployment's own rules count as `CUSTOM`.
    #[must_use]
    pub fn counts(&self, spans: &[Span]) -> BTreeMap<&'static str, u32> {
        let mut counts = BTreeMap::new();
        for span in spans {
            let count = counts.entry(span.entity.name()).or_insert(0_u32);
            *count = count.saturating_add(1);
        }
        counts
    }

    /// Whether a find may become a pseudonym, so that the caller's key is needed.
    #[must_use]
    pub const fn asks_for_pseudonyms(&self) -> bool {
        self.asks_for_pseudonyms
    }

    /// The text with each find replaced; a rule that asks for pseudonyms masks, as there is no key.
    #[must_use]
    pub fn redact(&self, text: &str) -> Redacted {
        self.redact_all(text, None)
    }

    /// The text with each find replaced, pseudonyms by the caller's keyed function.
    #[must_use]
    pub fn redact_with(&self, text: &str, pseudonyms: Pseudonyms<'_>) -> Redacted {
        self.redact_all(text, Some(pseudonyms))
    }

    /// The name in a span's marker.
    #[must_use]
    pub fn name(&self, span: &Span) -> &str {
        span.custom.and_then(|index| self.scanner.custom_name(index)).unwrap_or(span.entity.name())
    }

    /// What begins in some stretches of a text, a window at a time.
    fn find_within(&self, text: &str, stretches: &[Stretch]) -> Vec<Span> {
        let mut candidates = Vec::new();
        for Stretch { window, slice } in stretches {
            let mut from = window.start;
            while from < window.end {
                let to = boundary(text, window.end.min(from.saturating_add(WINDOW)));
                let around = slice.start.max(from.saturating_sub(AROUND))..slice.end.min(to.saturating_add(AROUND));
                self.find_in_window(text, from..to, around, &mut candidates);
                from = to;
            }
        }
        resolve(candidates)
    }

    /// What begins in a window, of which some more is read around; a run of base64 is read to its end.
    fn find_in_window(&self, text: &str, window: Range<usize>, around: Range<usize>, candidates: &mut Vec<Candidate>) {
        let end = encoded::run_end(text.as_bytes(), boundary(text, around.end), WINDOW);
        let slice = boundary(text, around.start)..end;
        let Some(piece) = text.get(slice.clone()) else { return };
        let folded = Folded::new(piece);
        self.scanner.scan(folded.text(), &mut |found| {
            let range = folded.original(found.range);
            let (start, end) = (slice.start + range.start, slice.start + range.end);
            if window.contains(&start) {
                let span = Span { start, end, entity: found.entity, custom: found.custom };
                candidates.push(Candidate { span, weight: found.weight });
            }
        });
    }

    fn redact_all(&self, text: &str, pseudonyms: Option<Pseudonyms<'_>>) -> Redacted {
        let mut redacted = Redacted { text: text.to_owned(), counts: BTreeMap::new() };
        let mut spans = self.find(text);
        for _ in 0..ROUNDS {
            if spans.is_empty() {
                break;
            }
            for span in &spans {
                *redacted.counts.entry(self.name(span).to_owned()).or_default() += 1;
            }
            let markers = self.replace(&mut redacted.text, &spans, pseudonyms);
            // A deployment's patterns may see as far as they like.
            let again = if self.scanner.has_custom() { vec![whole(&redacted.text)] } else { nearby::of(&redacted.text, &markers) };
            spans = self.find_within(&redacted.text, &again);
        }
        redacted
    }

    /// Puts markers in place of what was found; says where they stand.
    fn replace(&self, text: &mut String, spans: &[Span], pseudonyms: Option<Pseudonyms<'_>>) -> Vec<Range<usize>> {
        let mut out = String::with_capacity(text.len());
        let mut marked = Vec::with_capacity(spans.len());
        let mut copied = 0;
        for span in spans {
            out.push_str(text.get(copied..span.start).unwrap_or_default());
            let value = text.get(span.start..span.end).unwrap_or_default();
            let start = out.len();
            self.mark(&mut out, span, value, pseudonyms);
            marked.push(start..out.len());
            copied = span.end;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        *text = out;
        marked
    }

    fn mark(&self, out: &mut String, span: &Span, value: &str, pseudonyms: Option<Pseudonyms<'_>>) {
        let action = self.actions.get(&span.entity).copied().unwrap_or(Action::Mask);
        let payload = match (action, pseudonyms) {
            (Action::Mask, _) | (Action::Pseudonym, None) => None,
            (Action::LastFour, _) => last_four(value),
            (Action::Pseudonym, Some(pseudonyms)) => Some(marker::letters(pseudonyms(span.entity, &plain(span.entity, value)))),
        };
        out.push('[');
        out.push_str(self.name(span));
        if let Some(payload) = payload {
            out.push(':');
            out.push_str(&payload);
        }
        out.push(']');
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("actions", &self.actions).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redacted").field("bytes", &self.text.len()).field("counts", &self.counts).finish()
    }
}

fn whole(text: &str) -> Stretch {
    Stretch { window: 0..text.len(), slice: 0..text.len() }
}

/// The value as one person would write it who writes it plainly: `4111-1111` and full-width `４１１１ １１１１` are one value. In an address
/// every sign counts, as `ann-b@example.org` is somebody else than `annb@example.org`; in a secret everything does.
fn plain(entity: Entity, value: &str) -> String {
    let folded = Folded::new(value);
    if entity.family() == Family::Secret {
        return folded.text().to_owned();
    }
    let is_address = matches!(entity, Entity::Email | Entity::Url | Entity::IpAddress | Entity::Custom);
    let counts = |character: &char| character.is_alphanumeric() || (is_address && !character.is_whitespace());
    folded.text().chars().filter(counts).flat_map(char::to_lowercase).collect()
}

/// The last four of at least eight digits.
fn last_four(value: &str) -> Option<String> {
    let digits: Vec<char> = Folded::new(value).text().chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().checked_sub(4).filter(|start| *start >= 4)?;
    digits.get(start..).map(|last| last.iter().collect())
}

/// The nearest character boundary at or before a place.
fn boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}
