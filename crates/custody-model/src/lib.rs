//! Calls models. One port, [`Model`], with two adapters: [`OpenAiCompatible`] for any server that speaks the OpenAI chat form,
//! and [`Simulator`], which says in every answer that it is one.
//!
//! A call is one attempt: it is bounded in time and size, is never repeated here, never follows a redirect, and ends in an
//! answer or in a [`ModelError`] that says what is known. Whether to try again, and what is recorded before and after, is the
//! gateway's to decide.

mod error;
pub mod openai_compatible;
mod port;
pub mod simulator;

pub use error::{ErrorKind, ModelError, TimeoutPhase};
pub use openai_compatible::{BuildModelError, KeyReference, OpenAiCompatible, OpenAiConfig, TimeoutConfig};
pub use port::{AnswerFacts, Model, ModelAnswer, ModelCall, ModelStream, Provider};
pub use simulator::Simulator;
