//! The seven kinds of one answered request.

use custody_event::{Cost, Invocation, Kind, Outcome, Prompt, PromptPart, Request, Route, Validation, ValidationCheck};
use custody_types::{Text, Timestamp};

use super::Draft;

const INPUT_PICO_PER_TOKEN: i64 = 3_000_000;
const OUTPUT_PICO_PER_TOKEN: i64 = 15_000_000;

fn text(word: &str) -> Text {
    Text::from(word)
}

impl Draft<'_> {
    /// Each kind with the microseconds after receipt at which it became true.
    pub(super) fn kinds(&mut self) -> [(i64, Kind); 7] {
        let answered = 250 + self.duration_us;
        [
            (0, Kind::Request(self.request())),
            (90, Kind::Prompt(self.prompt())),
            (140, Kind::Route(self.route())),
            (answered, Kind::Invocation(self.invocation())),
            (answered + 20, Kind::Validation(validation())),
            (answered + 30, Kind::Cost(self.cost())),
            (answered + 60, Kind::Outcome(self.outcome(answered))),
        ]
    }

    fn request(&mut self) -> Request {
        Request {
            dialect: text("openai"),
            operation: text("chat"),
            stream: self.random.below(2) == 0,
            requested: Some(text("support.answer")),
            requested_hash: None,
            messages: 1 + self.random.below(6) as i32,
            input_bytes: self.input_tokens * 4 + 120,
            max_output_tokens: Some(2_000),
            tools: 0,
            input_hash: Some(self.random.hash()),
            decision: text("allow"),
            policy_ids: vec![text("invoke-own-capabilities")],
        }
    }

    fn prompt(&mut self) -> Prompt {
        let mut part = |part: &str, source: &str, bytes: i64| PromptPart {
            part: text(part),
            source: text(source),
            bytes,
            hash: Some(self.random.hash()),
        };
        let parts = vec![part("system", "registry", 640), part("user", "caller", self.input_tokens * 4)];
        let template_hash = text("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
        Prompt { prompt_id: text("support-answer"), version: text("v3"), template_hash, parts, caller_system: text("none") }
    }

    fn route(&mut self) -> Route {
        Route {
            attempt: 1,
            decision: text("allow"),
            chosen: Some(text("primary")),
            provider: Some(text("openai_compatible")),
            model: Some(self.model.clone()),
            candidates: vec![text("primary"), text("fallback")],
            reasons: vec![text("chosen: first allowed"), text("passed_over: not needed")],
            policy_ids: vec![text("routes-for-confidential")],
            fallback: false,
            region: Some(text("eu-central-1")),
            parameters: [(text("temperature"), text("0.2")), (text("max_tokens"), text("2000"))].into(),
            ..Route::default()
        }
    }

    fn invocation(&mut self) -> Invocation {
        let usage = format!(
            r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}}"#,
            self.input_tokens,
            self.output_tokens,
            self.input_tokens + self.output_tokens
        );
        Invocation {
            attempt: 1,
            route: text("primary"),
            provider: text("openai_compatible"),
            model: self.model.clone(),
            model_used: Some(self.model.clone()),
            provider_request_id: Some(Text::from(format!("chatcmpl-{:016x}", self.random.next()))),
            status: text("completed"),
            http_status: Some(200),
            finish_reason: Some(text("stop")),
            started_at: Some(Timestamp::from_micros(self.began.micros() + 250)),
            first_token_us: Some(180_000 + self.random.below(150_000) as i64),
            duration_us: Some(self.duration_us),
            input_tokens: Some(self.input_tokens),
            output_tokens: Some(self.output_tokens),
            usage_source: text("provider"),
            usage_raw: Some(Text::from(usage)),
            normaliser_version: Some(1),
            output_bytes: Some(self.output_tokens * 4),
            output_hash: Some(self.random.hash()),
            ..Invocation::default()
        }
    }

    fn cost(&mut self) -> Cost {
        let (input, output) = (self.input_tokens * INPUT_PICO_PER_TOKEN, self.output_tokens * OUTPUT_PICO_PER_TOKEN);
        Cost {
            attempt: 1,
            route: text("primary"),
            provider: text("openai_compatible"),
            model: self.model.clone(),
            currency: text("USD"),
            amount_pico: Some(input + output),
            input_pico: Some(input),
            cache_read_pico: Some(0),
            cache_write_pico: Some(0),
            output_pico: Some(output),
            price_book: text("2026-01"),
            price_id: Some(text("openai_compatible/on-demand")),
            finding: None,
            uncached_input_tokens: Some(self.input_tokens),
            cache_read_tokens: Some(0),
            cache_write_tokens: Some(0),
            output_tokens: Some(self.output_tokens),
            charged_for: Some(text("model")),
            items_pico: Some(0),
            region: Some(text("eu-central-1")),
            service_tier: Some(text("standard")),
            ..Cost::default()
        }
    }

    fn outcome(&mut self, answered: i64) -> Outcome {
        let stages = [("identify", 8), ("authorise", 35), ("assemble", 12), ("record", 160), ("invoke", self.duration_us), ("validate", 9)];
        Outcome {
            class: text("answered"),
            http_status: 200,
            code: None,
            stage: text("released"),
            attempts: 1,
            duration_us: Some(answered + 60),
            overhead_us: Some(310 + self.random.below(200) as i64),
            stage_us: stages.into_iter().map(|(stage, micros)| (text(stage), micros)).collect(),
            guardrail_status: text("not_required"),
            retrieval_status: text("not_required"),
            retrieved_documents: Vec::new(),
            handling: Some(text("display")),
            recovered: false,
            delivered_bytes: Some(self.output_tokens * 4),
            feedback_ref: Some(self.request_id.clone()),
        }
    }
}

fn validation() -> Validation {
    let checks = vec![ValidationCheck { name: text("non_empty"), result: text("passed") }];
    Validation { status: text("passed"), checks, schema_hash: None, handling: text("display") }
}
