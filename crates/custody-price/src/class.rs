//! What is counted and priced: classes of tokens, and items that are no tokens.
//!
//! ```text
//! counted in   items
//! pieces       images, pages, queries, requests, web searches, guardrail units (one item for each kind of policy)
//! thousandths  *_second: stated in milliseconds, priced by the second; `request_second` is how capacity is charged: a second
//!              of a provisioned, reserved or self-hosted model's time, at what the operator or the provider says it costs
//! ```

use std::{fmt, str::FromStr};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// Every member, in the order of files and explanations.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in files and explanations.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The names, for messages.
            #[must_use]
            pub fn accepted() -> String {
                Self::ALL.iter().map(|member| member.as_str()).collect::<Vec<_>>().join(", ")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownClassError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|member| member.as_str() == text);
                found.ok_or_else(|| UnknownClassError { what: $what, found: shortened(text), accepted: Self::accepted() })
            }
        }
    };
}

/// The text names no member of a set of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}: use one of {accepted}")]
pub struct UnknownClassError {
    what: &'static str,
    found: String,
    accepted: String,
}

fn shortened(text: &str) -> String {
    text.chars().take(64).filter(|c| !c.is_control()).collect()
}

named!(
    /// A class of tokens that has a price of its own. Each token of a request is in exactly one.
    TokenClass, "class of tokens",
    {
        /// Input that no cache was involved in.
        Input = "input",
        /// Input that is sound; its cached part is a cache's.
        InputAudio = "input_audio",
        /// Input that is a picture; its cached part is a cache's.
        InputImage = "input_image",
        /// Input read from a cache.
        CacheRead = "cache_read",
        /// Input written to a cache for five minutes, or of unstated lifetime.
        CacheWrite5m = "cache_write_5m",
        /// Input written to a cache for an hour.
        CacheWrite1h = "cache_write_1h",
        /// Output, reasoning included.
        Output = "output",
        /// Output that is sound.
        OutputAudio = "output_audio",
    }
);

named!(
    /// Something charged that is no token.
    Item, "priced item",
    {
        /// A picture sent.
        InputImage = "input_image",
        /// A picture made.
        OutputImage = "output_image",
        /// A second of sound sent.
        InputAudioSecond = "input_audio_second",
        /// A second of film sent.
        InputVideoSecond = "input_video_second",
        /// A page read.
        Page = "page",
        /// A query to a reranker or an embedder.
        Query = "query",
        /// A request, whatever is in it.
        Request = "request",
        /// A second of a model's time, where capacity is what is paid for.
        RequestSecond = "request_second",
        /// A web search with little context.
        WebSearchLow = "web_search_low",
        /// A web search with usual context.
        WebSearchMedium = "web_search_medium",
        /// A web search with much context.
        WebSearchHigh = "web_search_high",
        /// A unit of a guardrail's denied topics.
        GuardrailTopic = "guardrail_topic",
        /// A unit of a guardrail's content filters on text.
        GuardrailContent = "guardrail_content",
        /// A unit of a guardrail's content filters on pictures.
        GuardrailContentImage = "guardrail_content_image",
        /// A unit of a guardrail's word filters.
        GuardrailWord = "guardrail_word",
        /// A unit of a guardrail's sensitive-information filters.
        GuardrailSensitive = "guardrail_sensitive",
        /// A unit of a guardrail's sensitive-information filters that are free: regular expressions.
        GuardrailSensitiveFree = "guardrail_sensitive_free",
        /// A unit of a guardrail's contextual grounding check.
        GuardrailGrounding = "guardrail_grounding",
        /// A unit of a guardrail's automated reasoning.
        GuardrailReasoning = "guardrail_reasoning",
    }
);

named!(
    /// The tier of service that answered.
    ServiceTier, "tier of service",
    {
        /// What is used unless another is asked for.
        Standard = "standard",
        /// Answered within hours, for less.
        Batch = "batch",
        /// Answered when there is room, for less.
        Flex = "flex",
        /// Answered before others, for more.
        Priority = "priority",
        /// Answered from capacity that was bought before.
        Reserved = "reserved",
        /// Answered at the highest speed, for much more.
        Ultrafast = "ultrafast",
    }
);

/// What one line of an explanation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PriceClass {
    /// Tokens.
    Token(TokenClass),
    /// Items.
    Item(Item),
}

impl Item {
    /// Whether it is a time: counted in milliseconds and priced by the second.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::InputAudioSecond | Self::InputVideoSecond | Self::RequestSecond)
    }
}

impl PriceClass {
    /// What its quantity counts.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Item(item) if item.is_time() => "millisecond",
            Self::Item(_) => "piece",
        }
    }
}

impl fmt::Display for PriceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(class) => class.fmt(f),
            Self::Item(item) => item.fmt(f),
        }
    }
}
