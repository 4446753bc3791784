//! The adapter against bytes on a socket. PATH-11, GW-18, RT-14 to RT-18.

mod configuration;
mod failures;
mod fake;
mod profiles;
mod requests;
mod streams;

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_bedrockruntime::config::{Credentials, SharedCredentialsProvider};
use custody_dialect::{Assembler, ChatAnswer, ChatRequest, Message, Role, StreamEvent};
use custody_types::SensitiveText;

use super::*;
use crate::CallLabels;
use fake::Fake;

fn shared() -> SdkConfig {
    let credentials = Credentials::new("AKIDTESTS", "secret", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn config(url: &str) -> BedrockConfig {
    let mut config = BedrockConfig::new("eu-central-1");
    config.endpoint_url = Some(url.to_owned());
    config.timeouts.first_token_ms = 300;
    config.timeouts.idle_ms = 300;
    config.timeouts.total_ms = 1_500;
    config.max_answer_bytes = 100_000;
    config
}

async fn model(fake: &Fake) -> Bedrock {
    model_with(fake, BedrockRoute::default()).await
}

async fn model_with(fake: &Fake, route: BedrockRoute) -> Bedrock {
    config(&fake.url).build_on(&shared()).await.unwrap().route(route)
}

fn labels(feature: &str) -> CallLabels {
    CallLabels { tenant: "t-1".into(), feature: feature.into(), workflow: "w-1".into(), capability: "c-1".into() }
}

fn call(request: ChatRequest) -> ModelCall {
    ModelCall {
        request: Arc::new(request),
        model: "eu.anthropic.claude-x-v1:0".parse().unwrap(),
        end_user: None,
        labels: Some(labels("f-1")),
        request_id: "r-1".into(),
    }
}

fn hello() -> ModelCall {
    let message = Message::text(Role::User, SensitiveText::new("hello"));
    call(ChatRequest { messages: vec![message], ..ChatRequest::default() })
}

/// What a stream gave, how it failed, and whether it said that it was done.
async fn streamed(model: &Bedrock) -> (ChatAnswer, Option<ModelError>, bool) {
    let mut stream = match model.stream(hello()).await {
        Ok(stream) => stream,
        Err(error) => return (ChatAnswer::default(), Some(error), false),
    };
    let (mut assembler, mut error, mut done) = (Assembler::new(1 << 20), None, false);
    while let Some(batch) = stream.next().await {
        match batch {
            Ok(events) => {
                assert!(!events.is_empty() && !done);
                done = events.last() == Some(&StreamEvent::Done);
                events.iter().try_for_each(|event| assembler.add(event)).unwrap();
            }
            Err(failed) => error = Some(failed),
        }
    }
    (assembler.into_answer(), error, done)
}

fn text(answer: &ChatAnswer) -> &str {
    answer.text.as_ref().map_or("", SensitiveText::expose)
}

const SOON: Duration = Duration::from_millis(1_400);
