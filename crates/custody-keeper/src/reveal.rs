//! Reveal: the one way in which kept text is opened for somebody (D12, LOG-20).
//!
//! ```text
//! who asks ─▶ reason ─▶ the texts' facts ─▶ rate ─▶ group ─▶ policies ─▶ second person ─▶ `access` event, durable ─▶ opened, handed out
//!    │          │             │               │        │         │             │                                        │
//!    └──────────┴─────────────┴───────────────┴────────┴─────────┴─────────────┴── no: `access` event, and nothing      └─ does not open:
//!                                                                                  is opened                               another event
//! ```
//! - The rule under which a text was kept, as the workspace has it now, names the groups whose members may ask, and whether a second
//!   person has to agree; the policies decide besides. Both have to say yes. A rule that is gone lets nobody see anything.
//! - A second person agrees to one reveal: of this request, these texts, in this form, by this asker, once, within a day.
//! - Whoever asks for what exists in another tenant only, is told what is told of what exists nowhere.
//! - [`Texts::open`] takes a [`Permit`], which is made here and nowhere else, once the event is durable.
//!
//! Knows no HTTP, no command line, no table and no key: those are behind [`ports`](Texts).

mod access;
mod agree;
mod answer;
mod approval;
mod ask;
mod desk;
mod pending;
mod ports;
mod rate;
mod reason;
mod text;
mod vault;

#[cfg(test)]
mod tests;

pub use self::{
    access::{Permit, record_unidentified},
    answer::{ApproveAnswer, ClosedText, Denial, PendingReveal, RevealAnswer, RevealedText},
    approval::Approval,
    desk::{Asker, DeskParts, Form, Reveal, RevealDesk},
    ports::{Evidence, Governance, Papers, PortError, Terms, Texts},
    reason::MAX_REASON,
    text::{KeptText, SealedForms, State},
    vault::{VaultPapers, VaultTexts},
};
