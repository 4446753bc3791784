use custody_types::{Fault, Retry};

use super::*;

#[test]
fn an_outage_is_told_from_a_refusal_and_both_from_an_altered_key() {
    let cases = [
        ("ThrottlingException", 400, Kind::Throttled),
        ("LimitExceededException", 400, Kind::Throttled),
        ("Whatever", 429, Kind::Throttled),
        ("KMSInternalException", 500, Kind::Unavailable),
        ("DependencyTimeoutException", 503, Kind::Unavailable),
        ("KeyUnavailableException", 500, Kind::Unavailable),
        ("unknown", 502, Kind::Unavailable),
        ("AccessDeniedException", 400, Kind::Denied),
        ("UnrecognizedClientException", 400, Kind::Denied),
        ("ExpiredTokenException", 400, Kind::Denied),
        ("InvalidKeyUsageException", 400, Kind::Denied),
        ("NotFoundException", 400, Kind::KeyGone),
        ("DisabledException", 409, Kind::KeyUnusable),
        ("KMSInvalidStateException", 409, Kind::KeyUnusable),
        ("InvalidCiphertextException", 400, Kind::NotAuthentic),
        ("IncorrectKeyException", 400, Kind::NotAuthentic),
    ];
    for (code, status, kind) in cases {
        assert_eq!(Kind::of(code, status), kind, "{code}");
        let is_passing = matches!(kind, Kind::Throttled | Kind::Unavailable);
        assert_eq!(WrapError::from(kind).retry() != Retry::Never, is_passing, "{code}");
    }
}
