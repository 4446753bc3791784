//! Decisions with explanations, deny by default; sole owner of Cedar.
//!
//! A [`PolicySet`] is loaded from text: one strict schema and any number of `*.cedar` files. Loading reports every mistake at
//! once, with file and line. A decision is pure: the same facts under the same set give the same [`Decision`], which names the
//! policies that decided; the set's hash says which text that was.
//!
//! Cedar skips a policy whose evaluation fails, so a `forbid` could vanish: here any evaluation error denies.
//!
//! What this crate does not do: read files, look up who a caller is, or remember anything between decisions.

mod builtin;
mod decision;
mod facts;
mod hash;
mod load;
mod locate;
mod mistake;
mod question;
mod set;
mod shape;

pub use decision::{Decision, DenialReason};
pub use facts::{
    Capability, CapabilityFacts, Content, ContentFacts, FactsError, GroupName, InvalidGroupError, Principal, PrincipalFacts, PrincipalKind,
};
pub use facts::{Route, RouteFacts, TenantScope};
pub use mistake::{PolicyMistake, PolicyMistakes};
pub use question::{InvokeContext, RevealContext, RouteContext};
pub use set::{PolicySet, SourceFile};

#[cfg(test)]
mod tests;
