//! Images and documents inside a message.
//!
//! A document's name is never the caller's: AWS warns that a model reads the name as text, so a file name is a place to hide
//! instructions in (REFERENCE 1.2). Each dialect generates one from the document's place.

use custody_types::SensitiveText;
use serde::Serialize;

use crate::{
    RequestError, RequestErrorCode as Code, SensitiveJson,
    fields::{Field, join, showable},
};

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// In the request.
    Base64 {
        /// What the bytes are.
        format: ImageFormat,
        /// The bytes in base64.
        data: SensitiveText,
    },
    /// At an `https` address, from where the provider would fetch it.
    Url(SensitiveText),
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is; absent only for text in the clear.
    pub format: Option<DocumentFormat>,
    /// Its content.
    pub source: DocumentSource,
    /// What the caller says about it.
    pub context: Option<SensitiveText>,
}

/// A document's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentSource {
    /// Bytes in base64.
    Base64(SensitiveText),
    /// Text.
    Text(SensitiveText),
    /// Text in blocks.
    Blocks(Vec<SensitiveText>),
}

macro_rules! formats {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal, $mime:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $mime] $variant,)*
        }

        impl $name {
            /// All formats.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The format's name in the Converse form, which is also the usual file name extension.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The format's media type.
            #[must_use]
            pub const fn media_type(self) -> &'static str {
                match self { $(Self::$variant => $mime,)* }
            }

            /// The format with this name in the Converse form.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|format| format.as_str() == word)
            }

            /// The format of a media type.
            #[must_use]
            pub fn from_media_type(kind: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|format| format.media_type().eq_ignore_ascii_case(kind))
            }
        }
    };
}

formats! {
    /// What an image's bytes are.
    ImageFormat {
        Png = "png", "image/png";
        Jpeg = "jpeg", "image/jpeg";
        Gif = "gif", "image/gif";
        Webp = "webp", "image/webp";
    }
}

formats! {
    /// What a document's bytes are.
    DocumentFormat {
        Pdf = "pdf", "application/pdf";
        Csv = "csv", "text/csv";
        Doc = "doc", "application/msword";
        Docx = "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        Xls = "xls", "application/vnd.ms-excel";
        Xlsx = "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        Html = "html", "text/html";
        Txt = "txt", "text/plain";
        Md = "md", "text/markdown";
    }
}

impl ImageSource {
    /// Reads an OpenAI `image_url` object, which stands at `path`.
    ///
    /// # Errors
    /// What is wrong with it; never a part of its address.
    pub fn of(image: &SensitiveJson, path: &str) -> Result<Self, RequestError> {
        let whole = Field { raw: image.raw(), path };
        let mut url = None;
        for (name, raw) in whole.object()?.0 {
            let place = join(path, showable(&name));
            let field = Field { raw, path: &place };
            match name.as_ref() {
                "url" => url = Some(Self::of_url(field)?),
                // How closely to look; a hint without a counterpart in other dialects.
                "detail" => drop(field.string()?),
                _ => return Err(whole.unknown(&name)),
            }
        }
        url.ok_or_else(|| RequestError::new(Code::MissingField, join(path, "url"), "is required"))
    }

    fn of_url(field: Field<'_, '_>) -> Result<Self, RequestError> {
        let url = field.string()?;
        if url.starts_with("https://") {
            return Ok(Self::Url(SensitiveText::new(url.into_owned())));
        }
        let Some((kind, data)) = data_url(&url) else {
            return Err(field.error(Code::InvalidValue, "must be an https address or a base64 data address"));
        };
        let kind = if kind.eq_ignore_ascii_case("image/jpg") { "image/jpeg" } else { kind };
        let format = ImageFormat::from_media_type(kind)
            .ok_or_else(|| field.error(Code::UnsupportedPart, "must be an image of type png, jpeg, gif or webp"))?;
        check_base64(field, data)?;
        Ok(Self::Base64 { format, data: SensitiveText::new(data) })
    }

    /// The same as an OpenAI `image_url` object.
    #[must_use]
    pub fn to_json(&self) -> Option<SensitiveJson> {
        #[derive(Serialize)]
        struct Wire<'a> {
            url: &'a str,
        }
        match self {
            Self::Url(url) => SensitiveJson::of(&Wire { url: url.expose() }),
            Self::Base64 { format, data } => SensitiveJson::of(&Wire { url: &to_data_url(format.media_type(), data) }),
        }
    }
}

impl Document {
    /// Visits content and context.
    pub fn visit_payload(&self, visit: &mut dyn FnMut(&str)) {
        match &self.source {
            DocumentSource::Base64(text) | DocumentSource::Text(text) => visit(text.expose()),
            DocumentSource::Blocks(blocks) => blocks.iter().for_each(|text| visit(text.expose())),
        }
        self.context.iter().for_each(|text| visit(text.expose()));
    }
}

/// Media type and base64 of `data:TYPE[;parameter]*;base64,DATA`.
pub(crate) fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let kind = head.strip_suffix(";base64")?;
    Some((kind.split(';').next().unwrap_or(kind), data))
}

pub(crate) fn to_data_url(kind: &str, data: &SensitiveText) -> String {
    ["data:", kind, ";base64,", data.expose()].concat()
}

/// A provider would refuse broken base64 after we paid for the way there; the bytes themselves are not looked at.
pub(crate) fn check_base64(field: Field<'_, '_>, data: &str) -> Result<(), RequestError> {
    let body = data.strip_suffix("==").or_else(|| data.strip_suffix('=')).unwrap_or(data);
    let plain = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    if data.is_empty() || !data.len().is_multiple_of(4) || !plain {
        return Err(field.error(Code::InvalidValue, "must hold bytes in base64, with padding and without line breaks"));
    }
    Ok(())
}
