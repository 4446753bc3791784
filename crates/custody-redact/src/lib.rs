//! Finds and removes personal data and secrets; says what it removed, never what it was (LOG-18, LOG-32, LOG-38).
//!
//! ```text
//! text ──fold──▶ plain ASCII where it can be, with the way back ──one pass──▶ candidates ──check, context──▶ spans ──▶ markers
//!                                                      │
//!                        word starts ▶ one automaton of all forms · `@` ▶ e-mail · base64 ▶ decoded once, the same pass
//! ```
//! Time is linear in the text: from each place where a word begins, automata read a bounded number of bytes, and there is nothing to
//! backtrack. Most words have no digit in or near them and are asked only for the forms that need none. Memory is bounded: a window of
//! the text, the spans found, and at most 32 MB of the automata's states for each scan that runs at the same time; they are kept for the
//! next one, and the first megabyte or so is slower while they are made.
//!
//! What a deployment must know:
//! - Structured identifiers have a check sum, a range or a fixed prefix; those that any number could be are believed only beside a
//!   word that says what they are, or when they are all a field contains and a check sum holds.
//! - Names, streets and ages are found beside a title, an introduction or a street word, names also when a common first name stands
//!   before a surname, and are missed without: about one name in three and two of three addresses of the sets we measure on are found.
//!   There is no language model here; places, organisations, occupations and nationalities are not looked for. Free text about a person stays
//!   personal after redaction.
//! - Escapes and base64 are undone once; what is encoded twice, compressed or encrypted is not read. A run of base64 that hides
//!   something is replaced whole, however long it is. A run counts as text if its first 48 bytes do, up to one character in eight; bytes
//!   that are no UTF-8 are read as spaces, so that UTF-16 is not read. Lines of wrapped base64 are runs of their own: a value that is cut
//!   by the end of such a line is not found. A run of more than a megabyte is read to its end only where no escape or invisible
//!   character interrupts it.
//! - Where finds overlap, all of them is hidden: what the heavier find leaves of the lighter has a marker of its own, or goes with its
//!   neighbour where fewer than four letters and digits are left. Of such a rest no last digits or pseudonym are shown. The
//!   host behind a user and a password stays.
//! - Time is linear with the rules that ship. A deployment's pattern whose matches must be looked for far ahead and are then not found
//!   (`a.*b` where there is no `b`) takes time of its own that can grow with the square of a text.
//! - Copies of the text made on the way are wiped; the states of automata and what is handed out are the caller's.
//! - A value cut into pieces by other words, spelled out, or written backwards is not found.
//! - A marker takes other room than the value it replaced, which can bring a word and a number together; redaction reads the
//!   neighbourhood of each marker again until nothing more is found, so that redacting twice is redacting once.
//!
//! Nothing here has a clock, I/O or randomness; keys for pseudonyms are the caller's.

mod automaton;
mod blocks;
mod checks;
mod context;
mod custom;
mod edges;
mod email;
mod encoded;
mod entity;
mod fold;
mod forms;
mod long_run;
mod marker;
mod nearby;
mod part;
mod redactor;
mod resolve;
mod rules;
mod scan;
mod shape;
mod span;
mod starts;
mod table;

pub use entity::{Entity, Family};
pub use redactor::{Pseudonyms, Redacted, Redactor, standard};
pub use rules::{Action, CustomPattern, CustomWord, Rules, RulesError};
pub use span::Span;

#[cfg(test)]
mod tests;
