//! A message's content in OpenAI's form.
//!
//! ```text
//! Text, Refusal, Image   text, refusal, image_url
//! Document, bytes        file with a data address and a generated name; its context is a text part before it
//! Document, text         text
//! Json                   text
//! Reasoning, CachePoint  nothing: the API has no place for them, and neither changes what was said
//! a failed tool's result a text part in front that says so
//! ```

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Content, Document, DocumentFormat, DocumentSource, Message, Part, media::to_data_url};

/// The API has no status for a tool's result, and a model must not take a failure for a success.
const TOOL_FAILED: &str = "The tool reported an error.";

pub(super) enum WireContent<'a> {
    Absent,
    Text(&'a str),
    Parts(Vec<WirePart<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WirePart<'a> {
    Text { text: Cow<'a, str> },
    Refusal { refusal: &'a str },
    ImageUrl { image_url: &'a RawValue },
    File { file: WireFile },
}

#[derive(Serialize)]
pub(super) struct WireFile {
    filename: String,
    file_data: String,
}

impl<'a> WireContent<'a> {
    /// The content of the message that stands at place `at`.
    pub(super) fn of(message: &'a Message, at: usize) -> Self {
        match &message.content {
            Content::Text(text) if !message.tool_failed => Self::Text(text.expose()),
            Content::None if !message.tool_failed => Self::Absent,
            content => Self::parts(content, message.tool_failed, at),
        }
    }

    fn parts(content: &'a Content, failed: bool, at: usize) -> Self {
        let mut wire = Vec::new();
        if failed {
            wire.push(text(TOOL_FAILED));
        }
        match content {
            Content::None => {}
            Content::Text(said) => wire.push(text(said.expose())),
            Content::Parts(parts) => parts.iter().enumerate().for_each(|(part_at, part)| add(part, (at, part_at), &mut wire)),
        }
        if wire.is_empty() { Self::Absent } else { Self::Parts(wire) }
    }
}

impl Serialize for WireContent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Parts(parts) => serializer.collect_seq(parts),
        }
    }
}

fn text(text: &str) -> WirePart<'_> {
    WirePart::Text { text: Cow::Borrowed(text) }
}

fn add<'a>(part: &'a Part, place: (usize, usize), wire: &mut Vec<WirePart<'a>>) {
    match part {
        Part::Text(said) => wire.push(text(said.expose())),
        Part::Refusal(refusal) => wire.push(WirePart::Refusal { refusal: refusal.expose() }),
        Part::Image(image) => wire.push(WirePart::ImageUrl { image_url: image.raw() }),
        Part::Json(json) => wire.push(text(json.expose())),
        Part::Document(document) => add_document(document, place, wire),
        Part::Reasoning(_) | Part::CachePoint(_) => {}
    }
}

fn add_document<'a>(document: &'a Document, (message, part): (usize, usize), wire: &mut Vec<WirePart<'a>>) {
    wire.extend(document.context.as_ref().map(|context| text(context.expose())));
    match &document.source {
        DocumentSource::Text(content) => wire.push(text(content.expose())),
        DocumentSource::Blocks(blocks) => wire.extend(blocks.iter().map(|block| text(block.expose()))),
        DocumentSource::Base64(data) => {
            let format = document.format.unwrap_or(DocumentFormat::Txt);
            let filename = format!("document-{message}-{part}.{}", format.as_str());
            wire.push(WirePart::File { file: WireFile { filename, file_data: to_data_url(format.media_type(), data) } });
        }
    }
}
