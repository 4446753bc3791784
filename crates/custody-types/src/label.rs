//! Bounded names. A label is 1 to 128 characters of `A-Z a-z 0-9 . _ - : / @ +`, so that it can stand in a path, a metric label
//! or a SQL literal without escaping.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MAX_LABEL: usize = 128;

/// The text is empty, too long, or has a character outside the label alphabet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a valid {what}: use 1 to {MAX_LABEL} characters of A-Z a-z 0-9 . _ - : / @ +")]
pub struct InvalidLabelError {
    what: &'static str,
    shown: String,
}

fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@+".contains(&byte);
    (1..=MAX_LABEL).contains(&text.len()) && text.bytes().all(allowed)
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name as shared text, for an event.
            #[must_use]
            pub fn text(&self) -> crate::Text {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidLabelError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_label(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    let shown = text.chars().take(64).filter(|c| !c.is_control()).collect();
                    Err(InvalidLabelError { what: $what, shown })
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

label!(
    /// A tenant: the customer or business unit that a request belongs to and is charged to.
    TenantId,
    "tenant"
);
label!(
    /// A user or service that holds a credential.
    PrincipalId,
    "principal"
);
label!(
    /// What a caller may ask for, such as `support.answer`; never a model (D9).
    CapabilityName,
    "capability"
);
label!(
    /// A way to a model.
    RouteName,
    "route"
);
label!(
    /// A model as its provider names it.
    ModelName,
    "model"
);
label!(
    /// The product feature that a capability serves; a cost dimension.
    Feature,
    "feature"
);
label!(
    /// The business workflow that a capability serves; a cost dimension.
    Workflow,
    "workflow"
);
label!(
    /// A deployment stage such as `production`.
    Environment,
    "environment"
);
label!(
    /// A prompt in the registry; its version stands beside it.
    PromptId,
    "prompt"
);
label!(
    /// A keyed hash of the person behind a request, the same within one tenant and never across two.
    PersonPseudonym,
    "person pseudonym"
);
label!(
    /// What a text was kept for; capture without a purpose is refused (LOG-22).
    Purpose,
    "purpose"
);
label!(
    /// How long a text may be kept, as the data-handling rules name it (LOG-21).
    RetentionClass,
    "retention class"
);
label!(
    /// The public half of an API key: names the key in events, opens nothing.
    ApiKeyId,
    "API key id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_refuses_what_cannot_stand_in_a_path_or_metric() {
        for bad in ["", "a b", "tenant\n", "a'b", "é", &"x".repeat(129)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
        }
        assert_eq!("m-small-client-27".parse::<TenantId>().map(|t| t.to_string()), Ok("m-small-client-27".into()));
    }
}
