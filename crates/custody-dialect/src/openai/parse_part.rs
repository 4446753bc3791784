//! One part of a message's content.

use custody_types::SensitiveText;

use crate::{
    Document, DocumentFormat, DocumentSource, Part, RequestError, RequestErrorCode as Code,
    fields::{Field, join, showable},
    media::{check_base64, data_url},
};

pub(super) fn parse_part(part: Field<'_, '_>, max_depth: usize) -> Result<Part, RequestError> {
    let (mut kind, mut text, mut image, mut refusal, mut file) = (None, None, None, None, None);
    for (name, raw) in part.object()?.0 {
        let path = join(part.path, showable(&name));
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "type" => kind = Some(parse_part_type(field)?),
            "text" => text = Some(field.text()?),
            "refusal" => refusal = Some(field.text()?),
            "file" => file = Some(parse_file(field)?),
            "image_url" => {
                field.object()?;
                image = Some(field.keep(max_depth)?);
            }
            _ => return Err(part.unknown(&name)),
        }
    }
    let missing = |name| RequestError::new(Code::MissingField, join(part.path, name), "is required");
    match kind.ok_or_else(|| missing("type"))? {
        PartType::Text => text.map(Part::Text).ok_or_else(|| missing("text")),
        PartType::Refusal => refusal.map(Part::Refusal).ok_or_else(|| missing("refusal")),
        PartType::Image => image.map(Part::Image).ok_or_else(|| missing("image_url")),
        PartType::File => file.map(Part::Document).ok_or_else(|| missing("file")),
    }
}

enum PartType {
    Text,
    Refusal,
    Image,
    File,
}

fn parse_part_type(field: Field<'_, '_>) -> Result<PartType, RequestError> {
    match field.string()?.as_ref() {
        "text" => Ok(PartType::Text),
        "refusal" => Ok(PartType::Refusal),
        "image_url" => Ok(PartType::Image),
        "file" => Ok(PartType::File),
        _ => Err(field.error(Code::UnsupportedPart, "must be text or image_url")),
    }
}

/// A file that stands in the request. Of its name only the extension is read, where the bytes come without a media type.
fn parse_file(file: Field<'_, '_>) -> Result<Document, RequestError> {
    let (mut data, mut extension) = (None, None);
    for (name, raw) in file.object()?.0 {
        let path = join(file.path, showable(&name));
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "file_data" => data = Some(field.string()?),
            "filename" => extension = field.string()?.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()),
            // Its bytes lie with the provider, where no rule of this gateway saw them.
            "file_id" => return Err(field.error(Code::UnsupportedField, "is not served by this gateway: send `file_data`")),
            _ => return Err(file.unknown(&name)),
        }
    }
    let path = join(file.path, "file_data");
    let field = Field { raw: file.raw, path: &path };
    let data = data.ok_or_else(|| field.error(Code::MissingField, "is required"))?;
    let (format, data) = match data_url(&data) {
        Some((kind, data)) => (DocumentFormat::from_media_type(kind), data),
        None => (extension.as_deref().and_then(DocumentFormat::from_word), data.as_ref()),
    };
    let unknown = || {
        field.error(Code::UnsupportedPart, "must be pdf, csv, doc, docx, xls, xlsx, html, txt or md, by its media type or else its name")
    };
    let format = format.ok_or_else(unknown)?;
    check_base64(field, data)?;
    Ok(Document { format: Some(format), source: DocumentSource::Base64(SensitiveText::new(data)), context: None })
}
