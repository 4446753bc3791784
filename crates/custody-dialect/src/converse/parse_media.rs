//! Images, documents and cache points of a Converse message.

use custody_types::SensitiveText;

use super::check::{missing, only_member, word_of};
use crate::{
    CacheLifetime, CachePoint, Document, DocumentFormat, DocumentSource, ImageFormat, ImageSource, Part, RequestError,
    RequestErrorCode as Code,
    fields::{Field, join, showable},
    media::check_base64,
};

pub(super) fn image(whole: Field<'_, '_>) -> Result<Part, RequestError> {
    let (mut format, mut data) = (None, None);
    for (name, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "format" => format = Some(word_of(field, ImageFormat::ALL, ImageFormat::as_str)?),
            "source" => data = Some(image_bytes(field)?),
            _ => return Err(whole.unknown(&name)),
        }
    }
    let format = format.ok_or_else(|| missing(whole.path, "format"))?;
    let data = data.ok_or_else(|| missing(whole.path, "source"))?;
    let image = ImageSource::Base64 { format, data }.to_json();
    image.map(Part::Image).ok_or_else(|| whole.error(Code::NotJson, "is not valid JSON"))
}

fn image_bytes(union: Field<'_, '_>) -> Result<SensitiveText, RequestError> {
    let (name, raw, path) = only_member(union)?;
    match name.as_ref() {
        "bytes" => bytes(Field { raw, path: &path }),
        "s3Location" => Err(not_ours(&path)),
        _ => Err(union.unknown(&name)),
    }
}

pub(super) fn document(whole: Field<'_, '_>) -> Result<Document, RequestError> {
    let (mut format, mut source, mut context, mut named) = (None, None, None, false);
    for (name, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "format" => format = Some(word_of(field, DocumentFormat::ALL, DocumentFormat::as_str)?),
            // Required by the service model, and dropped: a model reads it as text (REFERENCE 1.2).
            "name" => named = !field.string()?.is_empty(),
            "source" => source = Some(document_source(field)?),
            "context" => context = Some(field.text()?),
            "citations" => no_citations(field)?,
            _ => return Err(whole.unknown(&name)),
        }
    }
    if !named {
        return Err(missing(whole.path, "name"));
    }
    let source = source.ok_or_else(|| missing(whole.path, "source"))?;
    if format.is_none() && matches!(source, DocumentSource::Base64(_)) {
        return Err(missing(whole.path, "format"));
    }
    Ok(Document { format, source, context })
}

fn document_source(union: Field<'_, '_>) -> Result<DocumentSource, RequestError> {
    let (name, raw, path) = only_member(union)?;
    let field = Field { raw, path: &path };
    match name.as_ref() {
        "bytes" => bytes(field).map(DocumentSource::Base64),
        "text" => field.text().map(DocumentSource::Text),
        "content" => blocks(field).map(DocumentSource::Blocks),
        "s3Location" => Err(not_ours(&path)),
        _ => Err(union.unknown(&name)),
    }
}

fn blocks(list: Field<'_, '_>) -> Result<Vec<SensitiveText>, RequestError> {
    let items = list.array()?;
    if items.is_empty() {
        return Err(list.error(Code::Empty, "must have at least one block"));
    }
    let parse = |(at, raw)| {
        let place = format!("{}[{at}]", list.path);
        let block = Field { raw, path: &place };
        let (name, raw, path) = only_member(block)?;
        if name == "text" { Field { raw, path: &path }.text() } else { Err(block.unknown(&name)) }
    };
    items.into_iter().enumerate().map(parse).collect()
}

fn no_citations(config: Field<'_, '_>) -> Result<(), RequestError> {
    for (name, raw) in config.object()?.0 {
        let path = join(config.path, showable(&name));
        let field = Field { raw, path: &path };
        match name.as_ref() {
            "enabled" if !field.boolean()? => {}
            "enabled" => return Err(field.error(Code::UnsupportedField, "is not served by this gateway: leave it out or send false")),
            _ => return Err(config.unknown(&name)),
        }
    }
    Ok(())
}

pub(super) fn cache_point(whole: Field<'_, '_>) -> Result<CachePoint, RequestError> {
    let (mut kind, mut lifetime) = (false, None);
    for (name, raw) in whole.object()?.0 {
        let path = join(whole.path, showable(&name));
        let Some(field) = (Field { raw, path: &path }).present() else { continue };
        match name.as_ref() {
            "type" if field.string()? == "default" => kind = true,
            "type" => return Err(field.error(Code::InvalidValue, "must be default")),
            "ttl" => lifetime = Some(word_of(field, &CacheLifetime::ALL, CacheLifetime::as_str)?),
            _ => return Err(whole.unknown(&name)),
        }
    }
    if kind { Ok(CachePoint { lifetime }) } else { Err(missing(whole.path, "type")) }
}

fn bytes(field: Field<'_, '_>) -> Result<SensitiveText, RequestError> {
    let bytes = field.text()?;
    check_base64(field, bytes.expose())?;
    Ok(bytes)
}

fn not_ours(path: &str) -> RequestError {
    RequestError::new(Code::UnsupportedPart, path, "is not served by this gateway, which would read it with its own rights: send `bytes`")
}
