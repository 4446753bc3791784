//! One governed request as a product service would send it.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;

use super::trace::TraceRow;

/// Where to send and as whom.
#[derive(Clone)]
pub struct Caller {
    http: Client<HttpConnector, Full<Bytes>>,
    endpoints: Vec<hyper::Uri>,
    capability: String,
    run: String,
    stream: bool,
}

/// What became of one request, as the caller saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A complete answer, with the gateway's id of the request.
    Answered(String),
    /// An error with its stable code.
    Refused(StatusCode, String),
    /// No answer: the connection ended first.
    CutOff,
}

impl Caller {
    pub fn new(base_urls: &[String], capability: &str, run: &str, stream: bool) -> Result<Self> {
        let endpoints = base_urls.iter().map(|url| endpoint(url)).collect::<Result<_>>()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, endpoints, capability: capability.to_owned(), run: run.to_owned(), stream })
    }

    /// Sends row `number` and waits for the whole answer. Rows take turns with the gateways; a repetition asks the next one.
    pub async fn send(&self, number: usize, repetition: usize, row: &TraceRow, key: &str) -> Seen {
        let Some(endpoint) = self.endpoints.get((number + repetition) % self.endpoints.len().max(1)) else { return Seen::CutOff };
        let Ok(request) = self.request(endpoint, number, row, key) else { return Seen::CutOff };
        let Ok(response) = self.http.request(request).await else { return Seen::CutOff };
        let status = response.status();
        let request_id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let Ok(body) = response.into_body().collect().await else { return Seen::CutOff };
        let body = body.to_bytes();
        if status.is_success() {
            return if self.stream && !body.ends_with(b"data: [DONE]\n\n") { Seen::CutOff } else { Seen::Answered(request_id) };
        }
        Seen::Refused(status, error_code(&body))
    }

    fn request(&self, endpoint: &hyper::Uri, number: usize, row: &TraceRow, key: &str) -> Result<Request<Full<Bytes>>> {
        let prompt = format!("simulate: input_tokens={} output_tokens={}", row.input_tokens, row.output_tokens);
        let mut body = json!({ "model": self.capability, "messages": [{ "role": "user", "content": prompt }] });
        if let (true, Some(fields)) = (self.stream, body.as_object_mut()) {
            fields.insert("stream".to_owned(), json!(true));
            fields.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        }
        let request = Request::post(endpoint.clone())
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-client-request-id", format!("{}-{number}", self.run))
            .body(Full::new(Bytes::from(body.to_string())))?;
        Ok(request)
    }
}

fn endpoint(base_url: &str) -> Result<hyper::Uri> {
    let endpoint = format!("{}/v1/chat/completions", base_url.trim_end_matches('/'));
    endpoint.parse().with_context(|| format!("`{base_url}` is not a URL such as http://127.0.0.1:8700"))
}

fn error_code(body: &[u8]) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let code = parsed.as_ref().and_then(|body| body.pointer("/error/code")).and_then(serde_json::Value::as_str);
    code.unwrap_or("unreadable_error").to_owned()
}
