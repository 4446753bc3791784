//! Texts as a person would read them: sections with who speaks, then what was said. What is no text (images, files) is named with its
//! size and not kept.
//!
//! ```text
//! [system]
//! You answer questions about parcels.
//!
//! [user]
//! Where is mine?
//! (image, 48211 bytes, not kept)
//! ```

use custody_dialect::{ChatAnswer, ChatRequest, Content, Document, DocumentSource, Message, Part as MessagePart, Reasoning, ToolCall};
use custody_seal::{Part, SecretBytes};

use crate::workspace::HandlingRule;

/// Most tool calls of an answer that become texts of their own; the rest share the last one, so that the records stay in bounds.
const MOST_CALLS: usize = 64;

/// A text that a rule keeps. Its bytes are wiped when it is dropped.
pub(crate) struct PlainText {
    pub(crate) part: Part,
    pub(crate) ordinal: u32,
    pub(crate) bytes: SecretBytes,
}

/// What takes the pieces of a text.
type Out<'a> = &'a mut dyn FnMut(&str);

/// What the model is asked, in one text.
pub(crate) fn prompt_text(chat: &ChatRequest) -> PlainText {
    PlainText { part: Part::Prompt, ordinal: 0, bytes: rendered(|out| put_request(chat, out)) }
}

/// What the model said in an attempt, as far as the rule keeps it; nothing where it said nothing.
pub(crate) fn answer_texts(rule: &HandlingRule, answer: &ChatAnswer, attempt: u32) -> Vec<PlainText> {
    let mut texts = Vec::new();
    if rule.captures(Part::Response).is_some() {
        let bytes = rendered(|out| put_answer(answer, out));
        texts.push(PlainText { part: Part::Response, ordinal: attempt, bytes });
    }
    if rule.captures(Part::ToolArguments).is_some() {
        texts.extend(tool_texts(&answer.tool_calls));
    }
    texts.retain(|text| !text.bytes.is_empty());
    texts
}

/// What a user said of an answer.
pub(crate) fn feedback_text(comment: &str) -> PlainText {
    PlainText { part: Part::Feedback, ordinal: 0, bytes: SecretBytes::new(comment.as_bytes().to_vec()) }
}

fn tool_texts(calls: &[ToolCall]) -> impl Iterator<Item = PlainText> {
    let (own, shared) = calls.split_at_checked(MOST_CALLS - 1).filter(|_| calls.len() > MOST_CALLS).unwrap_or((calls, &[]));
    let groups = own.chunks(1).chain((!shared.is_empty()).then_some(shared));
    groups.zip(0..).map(|(group, ordinal)| {
        let bytes = rendered(|out| group.iter().for_each(|call| put_section(call.name.expose(), call.arguments.expose(), out)));
        PlainText { part: Part::ToolArguments, ordinal, bytes }
    })
}

/// Measured first and written then, so that no grown buffer leaves a copy behind.
fn rendered(put: impl Fn(Out<'_>)) -> SecretBytes {
    let mut length = 0;
    put(&mut |piece| length += piece.len());
    let mut bytes = Vec::with_capacity(length);
    put(&mut |piece| bytes.extend_from_slice(piece.as_bytes()));
    SecretBytes::new(bytes)
}

fn put_request(chat: &ChatRequest, out: Out<'_>) {
    chat.messages.iter().for_each(|message| put_message(message, out));
    if let Some(tools) = &chat.options.tools {
        put_section("tools", tools.expose(), out);
    }
    if let Some(format) = &chat.options.response_format {
        put_section("response_format", format.expose(), out);
    }
}

fn put_message(message: &Message, out: Out<'_>) {
    put_heading(message.role.as_str(), out);
    match &message.content {
        Content::None => {}
        Content::Text(text) => put_line(text.expose(), out),
        Content::Parts(parts) => parts.iter().for_each(|part| put_part(part, out)),
    }
    if let Some(refusal) = &message.refusal {
        put_line(refusal.expose(), out);
    }
    out("\n");
    if let Some(calls) = &message.tool_calls {
        put_section("tool_calls", calls.expose(), out);
    }
}

fn put_part(part: &MessagePart, out: Out<'_>) {
    match part {
        MessagePart::Text(text) | MessagePart::Refusal(text) => put_line(text.expose(), out),
        MessagePart::Json(json) => put_line(json.expose(), out),
        MessagePart::Image(image) => put_size("image", image.len(), out),
        MessagePart::Document(document) => put_document(document, out),
        MessagePart::Reasoning(reasoning) => put_reasoning(reasoning, out),
        MessagePart::CachePoint(_) => {}
    }
}

fn put_document(document: &Document, out: Out<'_>) {
    match &document.source {
        DocumentSource::Base64(data) => put_size("document", data.len(), out),
        DocumentSource::Text(text) => put_line(text.expose(), out),
        DocumentSource::Blocks(blocks) => blocks.iter().for_each(|block| put_line(block.expose(), out)),
    }
    if let Some(context) = &document.context {
        put_line(context.expose(), out);
    }
}

fn put_reasoning(reasoning: &Reasoning, out: Out<'_>) {
    match reasoning {
        Reasoning::Text { text, .. } => put_line(text.expose(), out),
        Reasoning::Redacted(sealed) => put_size("reasoning that the provider encrypted", sealed.len(), out),
    }
}

fn put_answer(answer: &ChatAnswer, out: Out<'_>) {
    for reasoning in &answer.reasoning {
        put_heading("reasoning", out);
        put_reasoning(reasoning, out);
        out("\n");
    }
    for (heading, text) in [("assistant", &answer.text), ("refusal", &answer.refusal)] {
        if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
            put_section(heading, text.expose(), out);
        }
    }
}

fn put_section(heading: &str, text: &str, out: Out<'_>) {
    put_heading(heading, out);
    put_line(text, out);
    out("\n");
}

fn put_heading(heading: &str, out: Out<'_>) {
    out("[");
    out(heading);
    out("]\n");
}

fn put_line(text: &str, out: Out<'_>) {
    out(text);
    out("\n");
}

fn put_size(what: &str, bytes: usize, out: Out<'_>) {
    out(&format!("({what}, {bytes} bytes, not kept)\n"));
}

#[cfg(test)]
mod tests;
