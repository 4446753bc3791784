//! Asks AWS what is behind an inference profile (`GetInferenceProfile`). No conversation passes here.
//!
//! ```text
//! each attempt ≤ 5 s │ throttled: again, as long as there is time │ failed: at most 3 times │ all of it ≤ 20 s │ an answer ≤ 64 KiB
//! pauses: 200 ms, then twice the one before, 2 s at most, and of each half or up to all
//! ```
//! AWS allows few such questions a second for a whole account, so that being throttled says nothing about this question. The SDK's
//! own retries are off: they count throttling and failures alike, from one quota that many questions use up.

use std::{fmt, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_bedrock::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents, SharedHttpClient, http::HttpResponse,
        interceptors::BeforeDeserializationInterceptorContextMut, retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{BoxError, ProvideErrorMetadata, SdkError},
    operation::get_inference_profile::{GetInferenceProfileError, GetInferenceProfileOutput},
    types::{InferenceProfileModel, InferenceProfileStatus},
};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use tokio::time::{Instant, sleep, timeout_at};

use super::profile::ProfileFacts;
use crate::response_head;

const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(20);
const FAILURES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Five models and their names are two kilobytes.
const MAX_ANSWER: usize = 64 << 10;

/// A client of one Region's control plane. Cheap to clone.
#[derive(Clone)]
pub struct ProfileClient {
    client: Client,
    /// How long one question may take.
    pub(super) patience: Duration,
}

/// AWS did not tell. Holds no text of AWS's message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError {
    /// There is no such profile.
    #[error("AWS knows no such inference profile in this Region")]
    NotFound,
    /// The credentials may not ask.
    #[error("AWS does not let these credentials ask (bedrock:GetInferenceProfile)")]
    Denied,
    /// Too many questions.
    #[error("AWS throttled the question until its time was over")]
    Throttled,
    /// Another refusal: the status, and its name where it is a plain label.
    #[error("AWS refused the question with status {status}{}", .name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: u16,
        /// The exception's name.
        name: Option<String>,
    },
    /// No answer in time.
    #[error("AWS did not answer in time")]
    TimedOut,
    /// No connection, or one that broke.
    #[error("AWS could not be reached")]
    Unreachable,
    /// The answer is none.
    #[error("AWS's answer can't be read")]
    Garbage,
    /// The answer is about something else, is not active, or its models are none, not one and the same, or no foundation models.
    #[error("AWS's answer names no single model behind the profile")]
    NoSingleModel,
}

impl ProfileClient {
    pub(super) fn new(shared: &SdkConfig, url: &str, http: SharedHttpClient) -> Self {
        let bounds = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT);
        let config = Builder::from(shared)
            .endpoint_url(url)
            .use_fips(false)
            .use_dual_stack(false)
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(bounds.build())
            .interceptor(Bounded);
        Self { client: Client::from_conf(config.build()), patience: WHOLE }
    }

    /// What is behind a profile; `name` is its id or its ARN.
    ///
    /// # Errors
    /// Why it is not known.
    pub async fn look_up(&self, name: &str) -> Result<ProfileFacts, LookUpError> {
        let by = Instant::now() + self.patience;
        let (mut pause, mut failures, mut last) = (FIRST_PAUSE, 0, LookUpError::TimedOut);
        // What was said before tells more than that time ran out.
        while let Ok(told) = timeout_at(by, self.attempt(name)).await {
            let error = match told {
                Ok(facts) => return Ok(facts),
                Err(error) => error,
            };
            failures += u32::from(error != LookUpError::Throttled);
            if !error.may_pass() || failures >= FAILURES || Instant::now() + pause >= by {
                return Err(error);
            }
            last = error;
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(last)
    }

    async fn attempt(&self, name: &str) -> Result<ProfileFacts, LookUpError> {
        let answer = self.client.get_inference_profile().inference_profile_identifier(name).send().await;
        read(name, &answer.map_err(|error| of_sdk(&error))?)
    }
}

impl LookUpError {
    /// Whether the same question may be answered a little later.
    const fn may_pass(&self) -> bool {
        match self {
            Self::Throttled | Self::TimedOut | Self::Unreachable | Self::Garbage => true,
            Self::Refused { status, .. } => *status >= 500,
            Self::NotFound | Self::Denied | Self::NoSingleModel => false,
        }
    }
}

/// Half of the pause or up to all of it: questions that were throttled together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let share = getrandom::u32().unwrap_or(u32::MAX);
    pause / 2 + (pause / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
}

/// An answer about another profile, or about one that is not active, tells nothing.
fn read(name: &str, answer: &GetInferenceProfileOutput) -> Result<ProfileFacts, LookUpError> {
    let asked = name.rsplit_once('/').map_or(name, |(_, id)| id);
    if answer.inference_profile_id() != asked || *answer.status() != InferenceProfileStatus::Active {
        return Err(LookUpError::NoSingleModel);
    }
    let arns: Option<Vec<&str>> = answer.models().iter().map(InferenceProfileModel::model_arn).collect();
    arns.ok_or(LookUpError::NoSingleModel).and_then(ProfileFacts::of_models)
}

fn of_sdk(error: &SdkError<GetInferenceProfileError, HttpResponse>) -> LookUpError {
    match error {
        SdkError::ServiceError(service) => refused(service.raw().status().as_u16(), service.err().code()),
        SdkError::ResponseError(_) => LookUpError::Garbage,
        SdkError::TimeoutError(_) => LookUpError::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => LookUpError::TimedOut,
        _ => LookUpError::Unreachable,
    }
}

fn refused(status: u16, name: Option<&str>) -> LookUpError {
    match (name, status) {
        (_, 200..=299) => LookUpError::Garbage,
        (Some("ResourceNotFoundException"), _) => LookUpError::NotFound,
        (Some("AccessDeniedException"), _) | (_, 401 | 403) => LookUpError::Denied,
        (Some("ThrottlingException"), _) | (_, 429) => LookUpError::Throttled,
        (name, status) => LookUpError::Refused { status, name: name.and_then(response_head::label).map(|name| name.to_string()) },
    }
}

/// Reads no more of an answer than one can be long.
#[derive(Debug)]
struct Bounded;

impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "custody-bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let body = std::mem::replace(response.body_mut(), SdkBody::empty());
        *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER));
        Ok(())
    }
}

impl fmt::Debug for ProfileClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileClient").finish_non_exhaustive()
    }
}
