//! Where something was found. A span holds places and kinds, never text.

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
