//! The kinds of load.

use clap::ValueEnum;

/// A kind of load.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One JSON answer.
    Plain,
    /// Fifty events as fast as they come.
    Stream,
    /// Fifty events about two milliseconds apart, as from a fast model: shows what a caller waits for.
    Paced,
}

impl Mode {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Plain => "plain answers",
            Self::Stream => "streams, 50 words as fast as they come",
            Self::Paced => "streams, 50 words about 2 ms apart",
        }
    }

    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::Paced)
    }

    /// What stands in the question, so that the upstream keeps the pace whoever passes the question on.
    pub const fn pace_mark(self) -> &'static str {
        match self {
            Self::Plain | Self::Stream => "",
            Self::Paced => " pace_us=1000",
        }
    }
}
