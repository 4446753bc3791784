//! What AWS tells about a profile, and how it may fail to. RT-12, RT-15, RT-16.

use super::{fake::whole, *};

const ARN: &str = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/ab12";

fn answer(id: &str, models: &[&str]) -> String {
    let models: Vec<String> = models.iter().map(|arn| format!("{{\"modelArn\":\"{arn}\"}}")).collect();
    format!(
        "{{\"inferenceProfileName\":\"p\",\"inferenceProfileArn\":\"{ARN}\",\"inferenceProfileId\":\"{id}\",\"status\":\"ACTIVE\",\
         \"type\":\"APPLICATION\",\"models\":[{}]}}",
        models.join(",")
    )
}

async fn client(url: &str) -> ProfileClient {
    let mut config = BedrockConfig::new("eu-central-1");
    config.control_endpoint_url = Some(url.to_owned());
    config.build_profiles_on(&shared()).await.unwrap()
}

async fn told(fake: &Fake) -> Result<ProfileFacts, LookUpError> {
    client(&fake.url).await.look_up(ARN).await
}

#[tokio::test]
async fn a_profile_is_asked_for_by_its_arn_and_with_a_signature() {
    let models = ["arn:aws:bedrock:eu-west-1::foundation-model/a.b", "arn:aws:bedrock:eu-central-1::foundation-model/a.b"];
    let fake = Fake::json(200, "", &answer("ab12", &models)).await;
    let facts = told(&fake).await.unwrap();
    assert_eq!((facts.model.as_str(), facts.runs_in().join(" ")), ("a.b", "eu-central-1 eu-west-1".to_owned()));
    let asked = fake.asked();
    let path = "get /inference-profiles/arn%3aaws%3abedrock%3aeu-central-1%3a111122223333%3aapplication-inference-profile%2fab12 http/1.1";
    assert!(asked[0].head.starts_with(path), "{}", asked[0].head);
    assert!(asked[0].head.contains("/eu-central-1/bedrock/aws4_request"), "{}", asked[0].head);
}

#[tokio::test]
async fn what_aws_does_not_tell_is_named_without_its_words() {
    let table = [
        ("ResourceNotFoundException", 404, LookUpError::NotFound, 1),
        ("AccessDeniedException", 403, LookUpError::Denied, 1),
        ("ValidationException", 400, LookUpError::Refused { status: 400, name: Some("ValidationException".to_owned()) }, 1),
        ("InternalServerException", 500, LookUpError::Refused { status: 500, name: Some("InternalServerException".to_owned()) }, 3),
    ];
    for (name, status, expected, attempts) in table {
        let fake = Fake::json(status, &format!("x-amzn-errortype: {name}\r\n"), r#"{"message":"the card is 4111"}"#).await;
        let error = told(&fake).await.unwrap_err();
        assert_eq!((&error, fake.asked().len()), (&expected, attempts), "{name}");
        assert!(!format!("{error} {error:?}").contains("4111"));
    }
}

fn throttled() -> Vec<u8> {
    whole(429, "x-amzn-errortype: ThrottlingException\r\n", br#"{"message":"the card is 4111"}"#)
}

#[tokio::test]
async fn what_is_throttled_is_asked_again_more_often_than_what_fails() {
    let failure = whole(500, "x-amzn-errortype: InternalServerException\r\n", b"{}");
    let success = whole(200, "", answer("ab12", &["arn:aws:bedrock:eu-west-1::foundation-model/a.b"]).as_bytes());
    let fake = Fake::in_turn(vec![throttled(), failure, throttled(), throttled(), success], false).await;
    let began = Instant::now();
    assert_eq!(told(&fake).await.unwrap().model.as_str(), "a.b");
    assert_eq!(fake.asked().len(), 5);
    // Half of 200, 400, 800 and 1,600 ms at least.
    assert!(began.elapsed() >= Duration::from_millis(1_500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_stays_throttled_is_given_up_in_time() {
    let fake = Fake::saying(throttled(), false).await;
    let mut client = client(&fake.url).await;
    client.patience = Duration::from_secs(3);
    let began = Instant::now();
    let error = client.look_up(ARN).await.unwrap_err();
    assert!(error == LookUpError::Throttled && !format!("{error} {error:?}").contains("4111"), "{error:?}");
    assert!(fake.asked().len() > 3 && began.elapsed() <= client.patience + Duration::from_millis(500), "{}", fake.asked().len());
}

#[tokio::test]
async fn questions_that_use_up_the_sdks_quota_are_asked_again_all_the_same() {
    let fake = Fake::saying(throttled(), false).await;
    let mut client = client(&fake.url).await;
    client.patience = Duration::from_secs(3);
    let asking = futures::future::join_all((0..40).map(|_| client.look_up(ARN))).await;
    assert!(asking.iter().all(|told| *told == Err(LookUpError::Throttled)));
    assert!(fake.asked().len() > 40 * 3, "{}", fake.asked().len());
}

#[tokio::test]
async fn a_region_that_is_none_is_garbage() {
    let forged = answer("ab12", &["arn:aws:bedrock:eu-west-1 level=ERROR::foundation-model/a.b"]);
    assert_eq!(told(&Fake::json(200, "", &forged).await).await, Err(LookUpError::Garbage));
}

#[tokio::test]
async fn an_answer_that_is_none_tells_nothing() {
    let mine = "arn:aws:bedrock:eu-west-1::foundation-model/a.b";
    let other = answer("cd34", &[mine]);
    let asleep = answer("ab12", &[mine]).replace("ACTIVE", "ASLEEP");
    let two_models = answer("ab12", &[mine, "arn:aws:bedrock:eu-central-1::foundation-model/a.c"]);
    for body in [other, asleep, two_models, answer("ab12", &[]), "{}".to_owned()] {
        assert_eq!(told(&Fake::json(200, "", &body).await).await, Err(LookUpError::NoSingleModel), "{body}");
    }
    for body in ["<html>".to_owned(), "[1]".to_owned(), " ".repeat(70_000)] {
        assert_eq!(told(&Fake::json(200, "", &body).await).await, Err(LookUpError::Garbage), "{}", body.len());
    }
}

#[tokio::test]
async fn a_control_plane_that_is_away_is_told() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(client(&format!("http://{closed}")).await.look_up("eu.a.b").await, Err(LookUpError::Unreachable));
}

#[tokio::test]
async fn the_control_plane_must_be_allowed() {
    let mut config = BedrockConfig::new("eu-central-1");
    let found = |config: BedrockConfig| async move { config.build_profiles_on(&shared()).await.err().map(|error| error.to_string()) };
    let mistake = found(config.clone()).await.unwrap();
    assert!(mistake.contains("egress_hosts: `bedrock.eu-central-1.amazonaws.com` is not listed"), "{mistake}");
    config.control_endpoint_url = Some("http://vpce.example".to_owned());
    assert!(found(config.clone()).await.unwrap().contains("control_endpoint_url: `http://vpce.example/` is plain http"));
    config.control_endpoint_url = Some("https://vpce.example".to_owned());
    config.egress_hosts = vec!["vpce.example".to_owned()];
    assert_eq!(found(config).await, None);
}
