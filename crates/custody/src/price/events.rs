//! What the evidence says of attempts and their cost, row by row, through the session that `custody sql` uses.

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime};
use custody_price::{Facts, Finding, Provider, Usage};
use custody_query::{
    Parameters, QueryOptions, SqlSession,
    output::{Format, ResultWriter},
};
use custody_types::{PicoUsd, Text, Timestamp, TokenUsage};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{lake::PlaceArgs, sql::connect};

/// Counts as an invocation event has them.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Counts {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
}

/// What chooses the price, as invocation and route events have it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Called {
    pub provider: Option<String>,
    pub model: Option<String>,
    pub started_at: Option<String>,
    pub region: Option<String>,
}

/// What a cost event says.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Recorded {
    pub amount_pico: Option<i64>,
    pub finding: Option<String>,
}

/// Opens the lake and the log after it.
pub async fn session(place: &PlaceArgs) -> Result<SqlSession> {
    match &place.config {
        Some(file) => connect::open_deployment(file).await,
        None => Ok(connect::open(&place.data_dir).await?),
    }
}

/// Hands on each row of an answer.
pub async fn each_row<T: DeserializeOwned>(session: &SqlSession, sql: &str, parameters: &[String], mut take: impl FnMut(T)) -> Result<()> {
    let parameters = Parameters::parse(parameters.iter().map(String::as_str))?;
    let mut run = session.query(sql, &QueryOptions { parameters, ..QueryOptions::default() }).await?;
    while let Some(batch) = run.next_batch().await? {
        let mut writer = ResultWriter::new(Format::Json, &run.schema(), Vec::new())?;
        writer.write(&batch)?;
        let lines = writer.finish()?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            take(serde_json::from_slice(line).context("an event has another form than expected")?);
        }
    }
    Ok(())
}

impl Counts {
    /// The usage, where the event has one; else the finding that its cost has, or that nothing is known.
    pub fn usage(&self, recorded: &Recorded) -> Result<Usage, Finding> {
        let (Some(input), Some(output)) = (self.input, self.output) else {
            let known = recorded.finding.as_deref() == Some(Finding::UsageInconsistent.as_str());
            return Err(if known { Finding::UsageInconsistent } else { Finding::UsageUnknown });
        };
        Ok(Usage::from(TokenUsage {
            input,
            cache_read: self.cache_read.unwrap_or(0),
            cache_write_5m: self.cache_write_5m.unwrap_or(0),
            cache_write_1h: self.cache_write_1h.unwrap_or(0),
            output,
            reasoning: self.reasoning.unwrap_or(0),
        }))
    }
}

impl Called {
    /// The facts, where the event names a provider that prices are known for. A call without a start has no price.
    pub fn facts(&self) -> Result<Facts, Finding> {
        let provider = self.provider.as_deref().and_then(|name| name.parse::<Provider>().ok());
        let model = self.model.as_deref().and_then(|name| name.parse().ok());
        let at = self.started_at.as_deref().and_then(moment);
        match (provider, model, at) {
            (Some(provider), Some(model), Some(at)) => {
                Ok(Facts { region: self.region.as_deref().map(Text::from), ..Facts::on_demand(provider, model, at) })
            }
            _ => Err(Finding::MissingPrice),
        }
    }
}

impl Recorded {
    /// The amount, or the finding in its place.
    pub fn amount(&self) -> Result<PicoUsd, Finding> {
        let finding = || self.finding.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Finding::UsageUnknown);
        self.amount_pico.map(PicoUsd::from_pico).ok_or_else(finding)
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let at = with_offset.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    at.ok().map(|at| Timestamp::from_micros(at.timestamp_micros()))
}
