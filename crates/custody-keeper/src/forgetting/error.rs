//! Why something was not forgotten yet.

use custody_types::{Fault, FaultOwner, Retry};

/// A port did not do what it was asked; says what the part behind it says of its fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    message: String,
    owner: FaultOwner,
    retry: Retry,
    code: &'static str,
}

/// A run of expiry or erasure did not come to its end. What it did stays done, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// A store, the table or the journal failed.
    #[error("{doing}: {error}")]
    Port {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        error: PortError,
    },
    /// A plan or certificate is not as this program writes it.
    #[error("the document `{name}` cannot be read: {why}")]
    Document {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such plan.
    #[error("there is no erasure `{0}`")]
    NoSuchErasure(String),
    /// Another run is at it.
    #[error("another run made the plan `{0}` at the same time; this one stops")]
    AnotherRun(String),
    /// Text that was made before the erasure goes on arriving.
    #[error("{rows} texts arrived while they were erased; `--resume {erasure}` goes on")]
    StillArriving {
        /// The erasure.
        erasure: String,
        /// Texts that are there again.
        rows: u64,
    },
}

impl PortError {
    /// What a part says of its failure.
    pub fn of(error: &(impl Fault + ?Sized)) -> Self {
        Self { message: error.to_string(), owner: error.owner(), retry: error.retry(), code: error.code() }
    }

    /// A failure that has no words of its own.
    #[must_use]
    pub const fn new(message: String, owner: FaultOwner, retry: Retry, code: &'static str) -> Self {
        Self { message, owner, retry, code }
    }
}

impl ForgetError {
    /// For `map_err`: what was being done when a port failed.
    pub(crate) fn at(doing: &'static str) -> impl FnOnce(PortError) -> Self {
        move |error| Self::Port { doing, error }
    }
}

impl Fault for ForgetError {
    fn owner(&self) -> FaultOwner {
        match self {
            Self::Port { error, .. } => error.owner,
            Self::Document { .. } | Self::AnotherRun(_) | Self::StillArriving { .. } => FaultOwner::Operator,
            Self::NoSuchErasure(_) => FaultOwner::Caller,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Port { error, .. } => error.retry,
            Self::Document { .. } | Self::NoSuchErasure(_) => Retry::Never,
            Self::AnotherRun(_) | Self::StillArriving { .. } => Retry::After(std::time::Duration::from_secs(5)),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Port { error, .. } => error.code,
            Self::Document { .. } => "forget_document_unreadable",
            Self::NoSuchErasure(_) => "erasure_unknown",
            Self::AnotherRun(_) => "forget_other_run",
            Self::StillArriving { .. } => "erasure_text_arriving",
        }
    }
}
