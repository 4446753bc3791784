//! The record's own fields.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime};
use custody_types::{ModelName, RequestId, Text, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{LogRecordError, LoggedCall, REQUEST_ID_KEY, body};
use crate::{class::ServiceTier, normalise::RawUsage};

const SCHEMA: &str = "ModelInvocationLog";
/// Longer than any ARN; what is longer is not a name.
const MAX_NAME: usize = 2048;
/// Log stores that keep times as columns write them back so, in UTC.
const COLUMN_TIME: &str = "%Y-%m-%d %H:%M:%S%.f";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    schema_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'j> {
    timestamp: Option<String>,
    account_id: Option<String>,
    identity: Option<Identity>,
    region: Option<String>,
    inference_region: Option<String>,
    request_id: Option<String>,
    operation: Option<String>,
    model_id: Option<String>,
    error_code: Option<String>,
    request_metadata: Option<BTreeMap<String, String>>,
    input: Option<Input>,
    #[serde(borrow)]
    output: Option<Output<'j>>,
}

#[derive(Deserialize)]
struct Identity {
    arn: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    input_token_count: Option<u64>,
    cache_read_input_token_count: Option<u64>,
    cache_write_input_token_count: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Output<'j> {
    output_token_count: Option<u64>,
    #[serde(borrow)]
    output_body_json: Option<&'j RawValue>,
}

pub(super) fn read(json: &str) -> Result<LoggedCall, LogRecordError> {
    let schema: Schema = serde_json::from_str(json).map_err(|error| form(&error))?;
    if schema.schema_type.as_deref() != Some(SCHEMA) {
        return Err(LogRecordError::OtherSchema);
    }
    let written: Written<'_> = serde_json::from_str(json).map_err(|error| form(&error))?;
    let (input, output) = (written.input.unwrap_or_default(), written.output.unwrap_or_default());
    let body = output.output_body_json.map(|body| body::read(body.get())).unwrap_or_default();
    let stated = RawUsage {
        input_tokens: input.input_token_count,
        output_tokens: output.output_token_count,
        cache_read_input_tokens: input.cache_read_input_token_count,
        cache_write_input_tokens: input.cache_write_input_token_count,
        ..RawUsage::default()
    };
    let own_request_id = written.request_metadata.as_ref().and_then(|metadata| metadata.get(REQUEST_ID_KEY));
    Ok(LoggedCall {
        provider_request_id: required(written.request_id, "requestId")?,
        own_request_id: own_request_id.and_then(|id| id.parse::<RequestId>().ok()),
        at: moment(&required(written.timestamp, "timestamp")?)?,
        account: optional(written.account_id, "accountId")?,
        principal: optional(written.identity.and_then(|identity| identity.arn), "identity.arn")?,
        region: required(written.region, "region")?,
        inference_region: optional(written.inference_region, "inferenceRegion")?,
        operation: required(written.operation, "operation")?,
        model: model(&required(written.model_id, "modelId")?)?,
        service: service(body.service_tier.as_deref())?,
        error_code: optional(written.error_code, "errorCode")?,
        counts_agree: body.usage.is_none_or(|body| agree(&stated, &body)),
        raw: counted(stated, body.usage),
        guardrail_units: body.guardrail_units,
    })
}

/// An answer's own usage knows more (the total, lifetimes); the record's counts stand where it is absent.
fn counted(stated: RawUsage, body: Option<RawUsage>) -> Option<RawUsage> {
    let Some(body) = body else { return (stated != RawUsage::default()).then_some(stated) };
    Some(RawUsage {
        input_tokens: body.input_tokens.or(stated.input_tokens),
        output_tokens: body.output_tokens.or(stated.output_tokens),
        cache_read_input_tokens: body.cache_read_input_tokens.or(stated.cache_read_input_tokens),
        cache_write_input_tokens: body.cache_write_input_tokens.or(stated.cache_write_input_tokens),
        ..body
    })
}

fn agree(stated: &RawUsage, body: &RawUsage) -> bool {
    let same = |one: Option<u64>, other: Option<u64>| one.zip(other).is_none_or(|(one, other)| one == other);
    same(stated.input_tokens, body.input_tokens)
        && same(stated.output_tokens, body.output_tokens)
        && same(stated.cache_read_input_tokens, body.cache_read_input_tokens)
        && same(stated.cache_write_input_tokens, body.cache_write_input_tokens)
}

fn form(error: &serde_json::Error) -> LogRecordError {
    LogRecordError::Form { line: error.line(), column: error.column() }
}

fn optional(text: Option<String>, field: &'static str) -> Result<Option<Text>, LogRecordError> {
    text.map(|text| name(text, field)).transpose()
}

fn required(text: Option<String>, field: &'static str) -> Result<Text, LogRecordError> {
    text.map_or(Err(LogRecordError::Absent(field)), |text| name(text, field))
}

fn name(text: String, field: &'static str) -> Result<Text, LogRecordError> {
    let is_name = !text.is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control);
    if is_name { Ok(Text::from(text)) } else { Err(LogRecordError::Unusable(field)) }
}

fn moment(text: &str) -> Result<Timestamp, LogRecordError> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let at = with_offset.or_else(|_| NaiveDateTime::parse_from_str(text, COLUMN_TIME).map(|at| at.and_utc()));
    at.map(|at| Timestamp::from_micros(at.timestamp_micros())).map_err(|_| LogRecordError::Unusable("timestamp"))
}

/// An ARN names model or profile after its last slash. An application profile's id does not show its model and has no price.
fn model(id: &str) -> Result<ModelName, LogRecordError> {
    let named = if id.starts_with("arn:") { id.rsplit('/').next().unwrap_or(id) } else { id };
    named.parse().map_err(|_| LogRecordError::Unusable("modelId"))
}

fn service(tier: Option<&str>) -> Result<ServiceTier, LogRecordError> {
    match tier {
        None | Some("default") => Ok(ServiceTier::Standard),
        Some("flex") => Ok(ServiceTier::Flex),
        Some("priority") => Ok(ServiceTier::Priority),
        Some("reserved") => Ok(ServiceTier::Reserved),
        Some(_) => Err(LogRecordError::Unusable("serviceTier")),
    }
}
