//! An answer as the person at the terminal, or a program behind a pipe, gets it.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use custody_keeper::reveal::{ClosedText, Denial, PendingReveal, RevealAnswer, RevealedText};
use serde_json::{Value, json};

use super::{EXIT_CLOSED, EXIT_DENIED, EXIT_PENDING, Output};
use crate::terminal::{note, say, shown_time};

/// What a credential that nobody issued is told, and recorded with.
pub const INVALID_KEY: (&str, &str) = ("invalid_api_key", "the API key is not known here");

/// One answer.
pub enum Shown {
    /// Texts, and those that stay closed.
    Texts(Vec<RevealedText>, Vec<ClosedText>),
    /// A second person has to agree first.
    Waits(PendingReveal),
    /// What waits.
    Waiting(Vec<PendingReveal>),
    /// It is so.
    Done(&'static str),
    /// No: code and sentence.
    No(&'static str, String),
}

impl Shown {
    pub fn answer(answer: RevealAnswer) -> Self {
        match answer {
            RevealAnswer::Revealed { texts, closed } => Self::Texts(texts, closed),
            RevealAnswer::Pending(pending) => Self::Waits(pending),
            RevealAnswer::Denied(denial) => Self::denied(denial),
        }
    }

    pub fn denied(denial: Denial) -> Self {
        Self::No(denial.code(), denial.to_string())
    }

    pub fn unidentified() -> Self {
        Self::No(INVALID_KEY.0, INVALID_KEY.1.to_owned())
    }

    pub const fn pending(waiting: Vec<PendingReveal>) -> Self {
        Self::Waiting(waiting)
    }

    pub const fn done(what: &'static str) -> Self {
        Self::Done(what)
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        match self {
            Self::Texts(texts, closed) => {
                json!({ "texts": texts.iter().map(text_json).collect::<Vec<_>>(), "closed": closed.iter().map(closed_json).collect::<Vec<_>>() })
            }
            Self::Waits(pending) => json!({ "pending": pending_json(pending) }),
            Self::Waiting(waiting) => json!({ "waiting": waiting.iter().map(pending_json).collect::<Vec<_>>() }),
            Self::Done(what) => json!({ "done": what }),
            Self::No(code, message) => json!({ "error": { "code": code, "message": message } }),
        }
    }

    /// Prints it, and says how the program ends.
    pub(super) fn print(&self, output: Output) -> ExitCode {
        match output {
            Output::Json => say(&self.json().to_string()),
            Output::Text => self.print_text(),
        }
        match self {
            Self::Texts(_, closed) if !closed.is_empty() => ExitCode::from(EXIT_CLOSED),
            Self::Texts(..) | Self::Waiting(_) | Self::Done(_) => ExitCode::SUCCESS,
            Self::Waits(_) => ExitCode::from(EXIT_PENDING),
            Self::No(..) => ExitCode::from(EXIT_DENIED),
        }
    }

    fn print_text(&self) {
        match self {
            Self::Texts(texts, closed) => {
                let is_terminal = std::io::stdout().is_terminal();
                for text in texts {
                    print_one(text, texts.len() + closed.len() > 1, is_terminal);
                }
                closed.iter().for_each(|text| note(&format!("{} {} does not open [{}]", text.part.as_str(), text.ordinal, text.code)));
            }
            Self::Waits(pending) => {
                let until = shown_time(pending.expires_at);
                note(&format!("a second person has to approve: custody reveal approve {} (until {until})", pending.approval_id));
                say(&pending.approval_id);
            }
            Self::Waiting(waiting) if waiting.is_empty() => say("nothing waits for a second person"),
            Self::Waiting(waiting) => waiting.iter().for_each(|pending| say(&pending_line(pending))),
            Self::Done(what) => say(what),
            Self::No(code, message) => note(&format!("custody: {message} [{code}]")),
        }
    }
}

fn print_one(text: &RevealedText, with_head: bool, to_terminal: bool) {
    if with_head {
        say(&format!("--- {} {} ({})", text.part.as_str(), text.ordinal, text.content_id));
    }
    let bytes = text.opened.text().expose();
    let mut output = std::io::stdout();
    // A text may hold what a terminal obeys; a file or a pipe gets it as it is.
    let _ = if to_terminal { output.write_all(harmless(&String::from_utf8_lossy(bytes)).as_bytes()) } else { output.write_all(bytes) };
    if !bytes.ends_with(b"\n") {
        let _ = output.write_all(b"\n");
    }
    let _ = output.flush();
}

/// Control characters by their pictures, but for line ends and tabs.
fn harmless(text: &str) -> String {
    let harmless = |character: char| match character {
        '\n' | '\t' => character,
        control if control.is_control() => char::from_u32(0x2400 + u32::from(control)).filter(|_| control < ' ').unwrap_or('\u{fffd}'),
        // These change the order in which a line is read.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    };
    text.chars().map(harmless).collect()
}

fn text_json(text: &RevealedText) -> Value {
    json!({
        "content_id": &*text.content_id,
        "part": text.part.as_str(),
        "ordinal": text.ordinal,
        "text": String::from_utf8_lossy(text.opened.text().expose()),
    })
}

fn closed_json(text: &ClosedText) -> Value {
    json!({ "content_id": &*text.content_id, "part": text.part.as_str(), "ordinal": text.ordinal, "code": text.code })
}

fn pending_json(pending: &PendingReveal) -> Value {
    json!({
        "approval_id": pending.approval_id,
        "request_id": pending.request.to_string(),
        "asker": pending.asker,
        "reason": pending.reason,
        "redacted": pending.redacted,
        "texts": pending.texts,
        "expires_at": shown_time(pending.expires_at),
        "approved": pending.approved,
    })
}

fn pending_line(pending: &PendingReveal) -> String {
    let form = if pending.redacted { "redacted" } else { "full" };
    let state = if pending.approved { "approved" } else { "waits" };
    let until = shown_time(pending.expires_at);
    format!(
        "{}  {state}  until {until}  {} asks for {} texts, {form}, of {}: {}",
        pending.approval_id, pending.asker, pending.texts, pending.request, pending.reason
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\n\tc\u{9b}d\u{202e}e"), "a\u{241b}[2Jb\u{240d}\n\tc\u{fffd}d\u{fffd}e");
    }
}
