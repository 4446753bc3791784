//! A conversation can't be sent anywhere by a slip, and missing credentials are told at the start.

use super::*;

async fn mistakes(config: &BedrockConfig, shared: &SdkConfig) -> String {
    config.build_on(shared).await.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn the_endpoint_must_be_allowed() {
    let mut config = BedrockConfig::new("eu-central-1");
    assert!(mistakes(&config, &shared()).await.contains("egress_hosts: `bedrock-runtime.eu-central-1.amazonaws.com` is not listed"));
    config.egress_hosts = vec!["bedrock-runtime.eu-central-1.amazonaws.com".to_owned()];
    assert_eq!(mistakes(&config, &shared()).await, "");
    config.endpoint_url = Some("https://vpce.example".to_owned());
    assert!(mistakes(&config, &shared()).await.contains("`vpce.example` is not listed"));
    config.egress_hosts.push("vpce.example".to_owned());
    assert_eq!(mistakes(&config, &shared()).await, "");
    config.endpoint_url = Some("http://vpce.example".to_owned());
    assert!(mistakes(&config, &shared()).await.contains("plain http"));
    config.endpoint_url = Some("https://user:pw@vpce.example".to_owned());
    let found = mistakes(&config, &shared()).await;
    assert!(found.contains("no user, password") && !found.contains("pw@"), "{found}");
}

#[tokio::test]
async fn what_the_environment_names_as_endpoint_is_not_called() {
    let elsewhere = shared().into_builder().endpoint_url("http://127.0.0.1:1").build();
    let fake = Fake::json(200, "", r#"{"output":{"message":{"content":[{"text":"hi"}]}},"stopReason":"end_turn"}"#).await;
    let model = config(&fake.url).build_on(&elsewhere).await.unwrap().route(BedrockRoute::default());
    assert_eq!(text(&model.call(hello()).await.unwrap().answer), "hi");
}

#[tokio::test]
async fn missing_credentials_are_told_at_the_start() {
    let none = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-central-1")).build();
    let found = mistakes(&config("http://127.0.0.1:1"), &none).await;
    assert!(found.contains("credentials:") && found.contains("AWS_ACCESS_KEY_ID"), "{found}");
}

#[tokio::test]
async fn every_mistake_is_told_in_one_run() {
    let mut config = config("nonsense");
    config.timeouts.idle_ms = 0;
    config.max_answer_bytes = 0;
    assert_eq!(config.build_on(&shared()).await.unwrap_err().mistakes.len(), 3);
}
