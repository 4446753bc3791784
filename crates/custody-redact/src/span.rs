//! Where something was found. A span holds places and kinds, never text.

use std::ops::Range;

use crate::entity::Entity;

/// Bytes `start..end` of a text; both are character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// What it is.
    pub entity: Entity,
    /// Which of the deployment's own rules found it, by its place in the rules: words first, then patterns.
    pub custom: Option<u16>,
}

/// A span and how much it is believed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) span: Span,
    pub(crate) weight: u8,
}

/// What is hidden, and the value it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) span: Span,
    /// What pseudonyms and last digits are made of; empty where another find left only a part of the value.
    pub(crate) value: Range<usize>,
}

impl Kept {
    /// All of what was found.
    pub(crate) const fn whole(span: Span) -> Self {
        Self { span, value: span.start..span.end }
    }

    /// What another find left of it.
    pub(crate) const fn rest(span: Span) -> Self {
        Self { span, value: 0..0 }
    }

    /// Leaves what stands within a part of the text; says whether anything does.
    pub(crate) fn clip(&mut self, part: &Range<usize>) -> bool {
        (self.span.start, self.span.end) = (self.span.start.max(part.start), self.span.end.min(part.end));
        if self.value.start < part.start || self.value.end > part.end {
            self.value = 0..0;
        }
        self.span.start < self.span.end
    }
}
