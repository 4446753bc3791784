//! Calls models. One port, [`Model`], with three adapters: [`Bedrock`] for Amazon Bedrock, [`OpenAiCompatible`] for any server
//! that speaks the OpenAI chat form, and [`Simulator`], which says in every answer that it is one.
//!
//! A call is one attempt: it is bounded in time and size, is never repeated here, never follows a redirect, and ends in an
//! answer or in a [`ModelError`] that says what is known. Whether to try again, and what is recorded before and after, is the
//! gateway's to decide.

pub mod bedrock;
mod body;
mod egress;
mod error;
pub mod openai_compatible;
mod port;
pub mod protection;
mod provider_fault;
mod response_head;
pub mod simulator;
mod streaming;
mod timeouts;

pub use bedrock::{Bedrock, BedrockClient, BedrockConfig, BedrockRoute};
pub use error::{ErrorKind, ModelError, TimeoutPhase};
pub use openai_compatible::{BuildModelError, Capacity, KeyReference, ModelList, OpenAiCompatible, OpenAiConfig, ProbeError};
pub use port::{AnswerFacts, CallLabels, Model, ModelAnswer, ModelCall, ModelStream, Provider};
pub use provider_fault::ProviderFault;
pub use simulator::Simulator;
pub use timeouts::TimeoutConfig;
