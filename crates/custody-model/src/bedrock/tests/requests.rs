//! What is sent, as golden files: a neutral request (written in OpenAI's form) beside the body that left.
//!
//! `CUSTODY_WRITE_GOLDEN=1` writes the expected files anew.

use std::{fs, path::Path};

use aws_sdk_bedrockruntime::types as sdk;
use aws_smithy_types::{Blob, Document, Number};
use custody_dialect::{
    CacheLifetime, CachePoint, Content, DocumentFormat, DocumentSource, FinishReason, LatencyMode, Part, Reasoning, ServiceTier,
    openai::{Limits, parse_chat_request},
};
use serde_json::{Value, value::RawValue};

use super::*;

const HI: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn",
    "usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":4}}"#;

/// The body that leaves for a request; none where it can't be said.
async fn sent(request: ChatRequest, route: BedrockRoute, stream: bool) -> Option<String> {
    let fake = Fake::json(200, "", HI).await;
    let model = model_with(&fake, route).await;
    if stream {
        drop(model.stream(call(request)).await.ok()?);
    } else {
        drop(model.call(call(request)).await.ok()?);
    }
    let body = fake.asked().pop()?.body;
    let value: Value = serde_json::from_slice(&body).unwrap();
    Some(serde_json::to_string_pretty(&value).unwrap() + "\n")
}

fn route() -> BedrockRoute {
    let guardrail =
        Guardrail { id: "gr1abc".to_owned(), version: "3".to_owned(), trace: GuardrailTrace::Enabled, stream: GuardrailStream::Sync };
    BedrockRoute {
        guardrail: Some(guardrail),
        service_tier: Some(ServiceTier::Priority),
        latency: Some(LatencyMode::Optimized),
        extra: Some(RawValue::from_string(r#"{"top_k":40}"#.to_owned()).unwrap()),
    }
}

#[tokio::test]
async fn a_request_leaves_as_its_golden_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bedrock");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let input = entry.unwrap().path();
        let name = input.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(case) = name.strip_suffix(".in.json") else { continue };
        let request = parse_chat_request(&fs::read(&input).unwrap(), &Limits::default()).unwrap();
        let found = sent(request, BedrockRoute::default(), false).await.unwrap_or_else(|| "untranslatable\n".to_owned());
        check(&folder.join(format!("{case}.out.json")), &found);
        count += 1;
    }
    assert!(count >= 8);
}

fn check(file: &Path, found: &str) {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever writes tests")]
    if std::env::var("CUSTODY_WRITE_GOLDEN").is_ok() {
        fs::write(file, found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(file).unwrap_or_default(), "{}", file.display());
}

fn everything() -> ChatRequest {
    let text = |text: &str| SensitiveText::new(text);
    let document = custody_dialect::Document {
        format: Some(DocumentFormat::Pdf),
        source: DocumentSource::Base64(text("JVBERg==")),
        context: Some(text("a contract")),
    };
    let hour = CachePoint { lifetime: Some(CacheLifetime::OneHour) };
    let thought = Reasoning::Text { text: text("hm"), signature: Some(text("c2ln")) };
    let request = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bedrock/everything.in.json")).unwrap();
    let mut request = parse_chat_request(&request, &Limits::default()).unwrap();
    let user = request.messages.iter_mut().find(|message| message.role == Role::User).unwrap();
    let Content::Parts(parts) = &mut user.content else { panic!("parts") };
    parts.extend([Part::Document(document), Part::CachePoint(hour)]);
    let assistant = request.messages.iter_mut().find(|message| message.role == Role::Assistant).unwrap();
    assistant.content = Content::Parts(vec![Part::Reasoning(thought), Part::Text(text("I look."))]);
    request
}

#[tokio::test]
async fn what_a_route_adds_is_in_every_request() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bedrock");
    check(&folder.join("route.out.json"), &sent(everything(), route(), false).await.unwrap());
    let streamed: Value = serde_json::from_str(&sent(everything(), route(), true).await.unwrap()).unwrap();
    assert_eq!(streamed["guardrailConfig"]["streamProcessingMode"], "sync");
}

/// The same request in the SDK's own types: what we write ourselves must mean the same to AWS.
#[tokio::test]
async fn our_json_is_what_the_sdk_would_write() {
    let ours: Value = serde_json::from_str(&sent(everything(), route(), false).await.unwrap()).unwrap();
    let fake = Fake::json(200, "", HI).await;
    let client = config(&fake.url).build_on(&shared()).await.unwrap().client;
    sdk_request(&client).send().await.unwrap();
    let theirs: Value = serde_json::from_slice(&fake.asked()[0].body).unwrap();
    assert_eq!(ours, theirs);
}

fn object<const N: usize>(members: [(&str, Document); N]) -> Document {
    Document::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn sdk_request(client: &aws_sdk_bedrockruntime::Client) -> aws_sdk_bedrockruntime::operation::converse::builders::ConverseFluentBuilder {
    let string = |text: &str| Document::String(text.to_owned());
    let schema = object([("type", string("object")), ("properties", object([("q", object([("type", string("string"))]))]))]);
    let tool = sdk::ToolSpecification::builder().name("find").description("Finds.").input_schema(sdk::ToolInputSchema::Json(schema));
    let tools = sdk::ToolConfiguration::builder().tools(sdk::Tool::ToolSpec(tool.strict(true).build().unwrap()));
    let choice = sdk::ToolChoice::Tool(sdk::SpecificToolChoice::builder().name("find").build().unwrap());
    let format = sdk::JsonSchemaDefinition::builder().name("answer").schema(r#"{"type": "object"}"#).build().unwrap();
    let format =
        sdk::OutputFormat::builder().r#type(sdk::OutputFormatType::JsonSchema).structure(sdk::OutputFormatStructure::JsonSchema(format));
    let guardrail = sdk::GuardrailConfiguration::builder().guardrail_identifier("gr1abc").guardrail_version("3");
    let inference = sdk::InferenceConfiguration::builder().max_tokens(64).temperature(0.5).top_p(0.25).stop_sequences("END");
    client
        .converse()
        .model_id("eu.anthropic.claude-x-v1:0")
        .system(sdk::SystemContentBlock::Text("Be kind.".to_owned()))
        .set_messages(Some(sdk_messages()))
        .inference_config(inference.build())
        .tool_config(tools.tool_choice(choice).build().unwrap())
        .output_config(sdk::OutputConfig::builder().text_format(format.build().unwrap()).effort("high").build())
        .guardrail_config(guardrail.trace(sdk::GuardrailTrace::Enabled).build())
        .additional_model_request_fields(object([("top_k", Document::Number(Number::PosInt(40)))]))
        .request_metadata("custody_request", "r-1")
        .request_metadata("custody_tenant", "t-1")
        .request_metadata("custody_feature", "f-1")
        .request_metadata("custody_workflow", "w-1")
        .request_metadata("custody_capability", "c-1")
        .performance_config(sdk::PerformanceConfiguration::builder().latency(sdk::PerformanceConfigLatency::Optimized).build())
        .service_tier(sdk::ServiceTier::builder().r#type(sdk::ServiceTierType::Priority).build().unwrap())
}

fn sdk_messages() -> Vec<sdk::Message> {
    use sdk::ContentBlock as Block;
    let bytes = sdk::ImageSource::Bytes(Blob::new(*b"\x89PNG"));
    let image = sdk::ImageBlock::builder().format(sdk::ImageFormat::Png).source(bytes).build().unwrap();
    let document = sdk::DocumentBlock::builder()
        .name("document-1")
        .format(sdk::DocumentFormat::Pdf)
        .source(sdk::DocumentSource::Bytes(Blob::new(*b"%PDF")))
        .context("a contract");
    let point = sdk::CachePointBlock::builder().r#type(sdk::CachePointType::Default).ttl(sdk::CacheTtl::OneHour).build().unwrap();
    let thought = sdk::ReasoningTextBlock::builder().text("hm").signature("c2ln").build().unwrap();
    let input = object([("q", Document::String("x".to_owned()))]);
    let call = sdk::ToolUseBlock::builder().tool_use_id("call_1").name("find").input(input).build().unwrap();
    let found = sdk::ToolResultContentBlock::Text("found".to_owned());
    let result = sdk::ToolResultBlock::builder().tool_use_id("call_1").content(found).build().unwrap();
    let message =
        |role: sdk::ConversationRole, blocks: Vec<Block>| sdk::Message::builder().role(role).set_content(Some(blocks)).build().unwrap();
    let asked =
        vec![Block::Text("Look.".to_owned()), Block::Image(image), Block::Document(document.build().unwrap()), Block::CachePoint(point)];
    let thought = Block::ReasoningContent(sdk::ReasoningContentBlock::ReasoningText(thought));
    vec![
        message(sdk::ConversationRole::User, asked),
        message(sdk::ConversationRole::Assistant, vec![thought, Block::Text("I look.".to_owned()), Block::ToolUse(call)]),
        message(sdk::ConversationRole::User, vec![Block::ToolResult(result), Block::Text("Well?".to_owned())]),
    ]
}

// LOG-36: what the provider would refuse is left out, and the request goes.
#[tokio::test]
async fn labels_stay_within_the_providers_limits() {
    let fits = "x".repeat(256);
    for (value, expected) in
        [(fits.as_str(), Some(fits.as_str())), (&"x".repeat(257), None), ("a|b", None), ("é", None), ("a b:/@+", Some("a b:/@+"))]
    {
        let fake = Fake::json(200, "", HI).await;
        model(&fake).await.call(ModelCall { labels: Some(labels(value)), ..hello() }).await.unwrap();
        let body: Value = serde_json::from_slice(&fake.asked()[0].body).unwrap();
        let told = body["requestMetadata"].as_object().unwrap();
        assert_eq!(told.get("custody_feature").and_then(Value::as_str), expected, "{value}");
        assert_eq!((told.len(), &told["custody_workflow"]), (if expected.is_some() { 5 } else { 4 }, &"w-1".into()));
    }
}

#[tokio::test]
async fn a_plain_answer_comes_back_whole() {
    let body = r#"{"output":{"message":{"role":"assistant","content":[
        {"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"bm8="}},
        {"text":"one "},{"somethingNew":{}},{"citationsContent":{"content":[{"text":"two"}],"citations":[]}},
        {"toolUse":{"toolUseId":"t1","name":"find","input":{"z": 1.0,"a":[2]}}}]}},
        "stopReason":"tool_use","usage":{"inputTokens":21,"outputTokens":9,"totalTokens":1730,"cacheReadInputTokens":1000,
        "cacheWriteInputTokens":700,"cacheDetails":[{"ttl":"1h","inputTokens":400},{"ttl":"5m","inputTokens":300}]},
        "metrics":{"latencyMs":417},"performanceConfig":{"latency":"optimized"},
        "trace":{"promptRouter":{"invokedModelId":"arn:aws:bedrock:eu-central-1::foundation-model/a.b"}}}"#;
    let answer = model(&Fake::json(200, "", body).await).await.call(hello()).await.unwrap();
    assert_eq!((answer.facts.http_status, answer.facts.provider_request_id.as_deref()), (200, Some("req-1")));
    let answer = answer.answer;
    assert_eq!((text(&answer), answer.reasoning.len(), answer.finish), ("one two", 2, Some(FinishReason::ToolCalls)));
    // As the model wrote it: neither the order of the keys nor the form of a number is lost.
    assert_eq!(answer.tool_calls.iter().map(|call| call.arguments.expose()).collect::<Vec<_>>(), [r#"{"z": 1.0,"a":[2]}"#]);
    let usage = answer.usage.unwrap().converse.unwrap();
    assert_eq!((usage.input_tokens, usage.cache_write_1h_tokens, usage.cache_write_5m_tokens), (Some(21), Some(400), Some(300)));
    assert_eq!(answer.details.latency.as_deref(), Some("optimized"));
    assert_eq!(answer.details.invoked_model.as_deref(), Some("arn:aws:bedrock:eu-central-1::foundation-model/a.b"));
}

#[tokio::test]
async fn usage_that_is_not_stated_is_unknown_and_an_empty_answer_is_empty() {
    let silent = r#"{"output":{"message":{"content":[]}},"stopReason":"end_turn"}"#;
    let answer = model(&Fake::json(200, "", silent).await).await.call(hello()).await.unwrap().answer;
    assert!(answer.is_empty() && answer.usage.is_none());
}

#[tokio::test]
async fn requests_are_signed_over_what_is_sent() {
    let fake = Fake::json(200, "", HI).await;
    model(&fake).await.call(hello()).await.unwrap();
    let asked = fake.asked().remove(0);
    assert!(asked.head.contains("authorization: aws4-hmac-sha256 credential=akidtests/"), "{}", asked.head);
    let length = format!("content-length: {}", asked.body.len());
    assert!(asked.head.lines().any(|line| line == length), "{}", asked.head);
}
