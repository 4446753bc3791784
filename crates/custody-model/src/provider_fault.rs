//! Faults that a provider names, and what each means here.
//!
//! ```text
//! fault         Bedrock exception (HTTP)            code                        caller  retry  charged  owner     event status
//! Invalid       ValidationException 400             upstream_invalid_request    400     no     no       operator  refused
//! Quota         ServiceQuotaExceededException 400   upstream_quota_exceeded     429     yes    no       operator  refused
//! Denied        AccessDeniedException 403           upstream_denied             502     no     no       operator  refused
//! NotFound      ResourceNotFoundException 404       upstream_not_found          502     no     no       operator  refused
//! ModelTimeout  ModelTimeoutException 408           upstream_model_timed_out    504     yes    maybe    upstream  failed
//! ModelFailed   ModelErrorException 424             upstream_model_failed       502     yes    maybe    upstream  failed
//! ModelFailed   ModelStreamErrorException 424       the same
//! Throttled     ThrottlingException 429             upstream_throttled          429     yes    no       upstream  refused
//! NotReady      ModelNotReadyException 429          upstream_model_not_ready    429     yes    no       upstream  refused
//! Internal      InternalServerException 500         upstream_unavailable        502     yes    maybe    upstream  refused
//! Unavailable   ServiceUnavailableException 503     upstream_unavailable        503     yes    no       upstream  refused
//! ```
//! A name that is not known here, or none, is taken by its status, but for 400, which says too little. Status alone can't tell a quota from a mistake (both 400), or a cold model from a throttled account (both 429), so the name
//! decides (REFERENCE 1.1, 1.7). A fault that comes as an event inside a stream, which HTTP calls a success, means the same, but
//! the model has worked by then: it may be charged, and the attempt's status in its event is `cut`.

use custody_types::FaultOwner;

/// What a provider says is wrong, by the name it gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderFault {
    /// The request does not hold what the model accepts.
    Invalid,
    /// An account quota is used up; not the request's fault.
    Quota,
    /// Our credentials may not do this.
    Denied,
    /// The model, profile or guardrail does not exist.
    NotFound,
    /// The model took too long.
    ModelTimeout,
    /// The model failed.
    ModelFailed,
    /// The account is limited in its rate.
    Throttled,
    /// The model is being loaded.
    NotReady,
    /// The provider failed.
    Internal,
    /// The provider is away.
    Unavailable,
}

impl ProviderFault {
    /// Reads the name of a Bedrock exception, as an error body (`ThrottlingException`) or an event in a stream
    /// (`throttlingException`) states it.
    pub(crate) fn of_bedrock(name: &str) -> Option<Self> {
        let fault = match name.strip_suffix("Exception").unwrap_or(name) {
            "Validation" | "validation" => Self::Invalid,
            "ServiceQuotaExceeded" | "serviceQuotaExceeded" => Self::Quota,
            "AccessDenied" | "accessDenied" => Self::Denied,
            "ResourceNotFound" | "resourceNotFound" => Self::NotFound,
            "ModelTimeout" | "modelTimeout" => Self::ModelTimeout,
            "ModelError" | "modelError" | "ModelStreamError" | "modelStreamError" => Self::ModelFailed,
            "Throttling" | "throttling" => Self::Throttled,
            "ModelNotReady" | "modelNotReady" => Self::NotReady,
            "InternalServer" | "internalServer" => Self::Internal,
            "ServiceUnavailable" | "serviceUnavailable" => Self::Unavailable,
            _ => return None,
        };
        Some(fault)
    }

    /// What a status says where no known name does.
    pub(crate) const fn of_bedrock_status(status: u16) -> Option<Self> {
        let fault = match status {
            401 | 403 => Self::Denied,
            404 => Self::NotFound,
            408 => Self::ModelTimeout,
            424 => Self::ModelFailed,
            429 => Self::Throttled,
            500 => Self::Internal,
            503 => Self::Unavailable,
            _ => return None,
        };
        Some(fault)
    }

    pub(crate) const fn retryable(self) -> bool {
        !matches!(self, Self::Invalid | Self::Denied | Self::NotFound)
    }

    pub(crate) const fn is_the_routes(self) -> bool {
        !matches!(self, Self::Invalid)
    }

    pub(crate) const fn may_be_charged(self) -> bool {
        matches!(self, Self::ModelTimeout | Self::ModelFailed | Self::Internal)
    }

    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::ModelTimeout | Self::ModelFailed => "failed",
            _ => "refused",
        }
    }

    pub(crate) const fn caller_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Quota | Self::Throttled | Self::NotReady => 429,
            Self::Denied | Self::NotFound | Self::ModelFailed | Self::Internal => 502,
            Self::Unavailable => 503,
            Self::ModelTimeout => 504,
        }
    }

    pub(crate) const fn owner(self) -> FaultOwner {
        match self {
            Self::Invalid | Self::Quota | Self::Denied | Self::NotFound => FaultOwner::Operator,
            Self::ModelTimeout | Self::ModelFailed | Self::Throttled | Self::NotReady | Self::Internal | Self::Unavailable => {
                FaultOwner::Upstream
            }
        }
    }

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "upstream_invalid_request",
            Self::Quota => "upstream_quota_exceeded",
            Self::Denied => "upstream_denied",
            Self::NotFound => "upstream_not_found",
            Self::ModelTimeout => "upstream_model_timed_out",
            Self::ModelFailed => "upstream_model_failed",
            Self::Throttled => "upstream_throttled",
            Self::NotReady => "upstream_model_not_ready",
            Self::Internal | Self::Unavailable => "upstream_unavailable",
        }
    }

    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::Invalid => "the provider does not accept the request",
            Self::Quota => "a quota at the provider is used up",
            Self::Denied => "the provider denies access",
            Self::NotFound => "the provider knows no such model, profile or guardrail",
            Self::ModelTimeout => "the model took too long",
            Self::ModelFailed => "the model failed",
            Self::Throttled => "the provider limits its rate",
            Self::NotReady => "the model is not ready yet",
            Self::Internal => "the provider failed",
            Self::Unavailable => "the provider is not available",
        }
    }
}
