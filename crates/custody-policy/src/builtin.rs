//! The two rules that no workspace can leave out, and the prefix that is kept for them.

/// Ids that begin so are not for workspace files.
pub(crate) const RESERVED_PREFIX: &str = "custody.";

/// The name under which mistakes in, and the hash of, these rules appear.
pub(crate) const FILE: &str = "<built in>";

/// Names are checked by the schema, so a workspace schema that drops one of these attributes is refused at load.
pub(crate) const RULES: &str = include_str!("builtin.cedar");
