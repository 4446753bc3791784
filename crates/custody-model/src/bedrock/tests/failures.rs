//! Refusals and broken connections, plain and streamed.

use custody_types::{Fault, FaultOwner};
use tokio::net::TcpListener;

use super::{fake::whole, *};

async fn both(fake: &Fake) -> [ModelError; 2] {
    let model = model(fake).await;
    [model.call(hello()).await.unwrap_err(), model.stream(hello()).await.map(drop).unwrap_err()]
}

// REFERENCE 1.1 and 1.7: name, status, code, caller's status, retry, charge, owner.
#[tokio::test]
async fn each_exception_means_what_the_table_says() {
    use FaultOwner::{Operator, Upstream};
    let table = [
        ("ValidationException", 400, "upstream_invalid_request", 400, false, false, Operator),
        ("ServiceQuotaExceededException", 400, "upstream_quota_exceeded", 429, true, false, Operator),
        ("AccessDeniedException", 403, "upstream_denied", 502, false, false, Operator),
        ("ResourceNotFoundException", 404, "upstream_not_found", 502, false, false, Operator),
        ("ModelTimeoutException", 408, "upstream_model_timed_out", 504, true, true, Upstream),
        ("ModelErrorException", 424, "upstream_model_failed", 502, true, true, Upstream),
        ("ModelStreamErrorException", 424, "upstream_model_failed", 502, true, true, Upstream),
        ("ThrottlingException", 429, "upstream_throttled", 429, true, false, Upstream),
        ("ModelNotReadyException", 429, "upstream_model_not_ready", 429, true, false, Upstream),
        ("InternalServerException", 500, "upstream_unavailable", 502, true, true, Upstream),
        ("ServiceUnavailableException", 503, "upstream_unavailable", 503, true, false, Upstream),
    ];
    for (name, status, code, caller, retryable, charged, owner) in table {
        let headers = format!("x-amzn-errortype: {name}:http://internal.amazon.com/\r\nretry-after: 3\r\n");
        let fake = Fake::json(status, &headers, r#"{"message":"the card is 4111"}"#).await;
        for error in both(&fake).await {
            assert_eq!((error.code(), error.caller_status(), error.retryable()), (code, caller, retryable), "{name}");
            assert_eq!((error.may_be_charged(), error.owner(), error.http_status), (charged, owner, Some(status)), "{name}");
            assert_eq!((error.retry_after, error.provider_request_id.as_deref()), (Some(Duration::from_secs(3)), Some("req-1")));
            assert_eq!(error.provider_error.kind.as_deref(), Some(name));
            assert!(!format!("{error:?} {error}").contains("4111"));
        }
        // The SDK repeats nothing: each attempt is recorded by whoever makes it.
        assert_eq!(fake.asked().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn an_error_without_a_known_name_is_taken_by_its_status() {
    let kinds = [
        (400, "upstream_rejected", 502),
        (403, "upstream_denied", 502),
        (429, "upstream_throttled", 429),
        (500, "upstream_unavailable", 502),
        (503, "upstream_unavailable", 503),
        (307, "upstream_rejected", 502),
    ];
    for (status, code, caller) in kinds {
        let fake = Fake::json(status, "location: http://127.0.0.1:1/\r\n", "<html>no</html>").await;
        for error in both(&fake).await {
            assert_eq!((error.code(), error.caller_status(), error.http_status), (code, caller, Some(status)));
        }
    }
}

#[tokio::test]
async fn what_is_said_with_200_need_not_be_an_answer() {
    for body in ["<html>", "", "[]", r#"{"output":{}}"#, r#"{"output":{"message":{"content":[{"text":"#] {
        let error = model(&Fake::json(200, "", body).await).await.call(hello()).await.unwrap_err();
        assert_eq!((error.kind, error.http_status, error.may_be_charged()), (ErrorKind::Garbage, Some(200), true), "{body}");
        assert_eq!(error.provider_request_id.as_deref(), Some("req-1"));
    }
    let short = Fake::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_vec(), false).await;
    assert_eq!(model(&short).await.call(hello()).await.unwrap_err().kind, ErrorKind::Cut);
    let promised = Fake::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{".to_vec(), true).await;
    assert_eq!(model(&promised).await.call(hello()).await.unwrap_err().kind, ErrorKind::TooLarge);
    let long = Fake::saying(whole(200, "", " ".repeat(200_000).as_bytes()), false).await;
    assert_eq!(model(&long).await.call(hello()).await.unwrap_err().kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_connection_that_fails_is_told_from_one_that_was_never_made() {
    let silent = Fake::saying(Vec::new(), false).await;
    for error in both(&silent).await {
        assert_eq!((error.kind, error.may_be_charged()), (ErrorKind::Failed, true));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = config(&format!("http://{closed}")).build_on(&shared()).await.unwrap().route(BedrockRoute::default());
    let error = nobody.call(hello()).await.unwrap_err();
    assert_eq!((error.kind, error.may_be_charged(), error.retryable()), (ErrorKind::ConnectFailed, false, true));
}
