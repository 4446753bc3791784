//! Geographies of Bedrock's cross-Region profiles: groups of Regions that a request may be sent on to.
//!
//! A system profile's id begins with one: `eu.anthropic.claude-…` is `anthropic.claude-…` anywhere in Europe. Which Regions a profile
//! reaches is AWS's to say; a geography names them for prices.

/// All that are known. `global` may run anywhere.
pub const GEOGRAPHIES: [&str; 10] = ["us", "us-gov", "eu", "apac", "jp", "au", "ca", "in", "sa", "global"];

/// The longest Region's name has fourteen letters today.
const MAX_REGION: usize = 32;

/// Whether the text may name a Region: lower-case letters, digits and `-`, 1 to 32 of them. New Regions need no new release.
#[must_use]
pub fn is_region(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_REGION).contains(&name.len()) && name.bytes().all(fine)
}

/// Whether the name is one of a geography.
#[must_use]
pub fn is_geography(name: &str) -> bool {
    GEOGRAPHIES.contains(&name)
}

/// The geography and the model in a system profile's id. A model's own id has a provider before its dot, so `us.model` is none.
#[must_use]
pub fn split_profile_id(id: &str) -> Option<(&str, &str)> {
    id.split_once('.').filter(|(first, rest)| is_geography(first) && rest.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_short_word_that_can_stand_anywhere() {
        for name in ["eu-central-1", "us-gov-west-1", &"a".repeat(32)] {
            assert!(is_region(name), "{name}");
        }
        for name in ["", "EU-central-1", "eu central", "eu\n", "eu/1", "eu_1", "é", &"a".repeat(33)] {
            assert!(!is_region(name), "{name}");
        }
    }

    #[test]
    fn a_profiles_id_has_a_geography_a_provider_and_a_model() {
        assert_eq!(split_profile_id("us-gov.maker.model-v1:0"), Some(("us-gov", "maker.model-v1:0")));
        for id in ["maker.model", "us.model", "moon.maker.model", "eu"] {
            assert_eq!(split_profile_id(id), None, "{id}");
        }
    }
}
