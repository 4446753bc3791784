//! What the head of any provider's response says, whatever its dialect.

use std::time::Duration;

use custody_types::{ModelName, Text};

/// Longer advice is no advice for one request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// `retry-after-ms`, else `retry-after` in seconds; its date form would need a clock and no provider sends it.
pub(crate) fn retry_after<'h>(header: impl Fn(&'static str) -> Option<&'h str>) -> Option<Duration> {
    let number = |name| header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|milliseconds| milliseconds / 1_000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// A provider's word, kept only where it is a plain label: anything else could be payload.
pub(crate) fn label(word: &str) -> Option<Text> {
    word.parse::<ModelName>().ok().map(|label| label.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &'static str) -> Option<Duration> {
        retry_after(|asked| (asked == name).then_some(value))
    }

    #[test]
    fn retry_advice_is_read_and_bounded() {
        assert_eq!(read("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(read("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(read("retry-after", "1e300"), None);
        assert_eq!(read("retry-after", "-1"), None);
        assert_eq!(read("retry-after", "99999"), Some(MAX_RETRY_AFTER));
        assert_eq!(read("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }

    #[test]
    fn a_request_id_is_kept_only_as_a_label() {
        assert_eq!(label("req_12-ab").as_deref(), Some("req_12-ab"));
        assert_eq!(label("the card is 4111"), None);
    }
}
