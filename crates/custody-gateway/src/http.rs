//! HTTP, on hyper: heads in, answers and errors out, in the caller's [front](crate::front). It decides nothing: every governed
//! request becomes an [`Arrival`] and goes through the flow, in a task of its own.

mod arrival;
mod body;
mod dispatch;
mod reply;
mod server;
mod side;
mod target;
mod tls;

pub(crate) use arrival::{Arrival, Credential};
pub(crate) use body::IncomingBody;
pub(crate) use reply::{AnswerHeaders, Reply};
pub(crate) use server::serve;
pub(crate) use tls::Tls;
pub use tls::TlsError;
