//! Who may see kept text, how long it is kept, and how it is forgotten: reveal, retention, legal hold, erasure.
//!
//! Responsible for decisions and their order: an access event before any text, a durable plan before any key is destroyed. Tables,
//! keys and objects belong to `custody-lake`, `custody-seal` and `custody-vault`.

pub mod erasure;
pub mod forgetting;
pub mod hold;
pub mod retention;
pub mod reveal;
