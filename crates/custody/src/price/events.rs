//! What the evidence says, row by row, through the session that `custody sql` uses.

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime};
use custody_query::{
    Parameters, QueryOptions, SqlSession,
    output::{Format, ResultWriter},
};
use custody_types::Timestamp;
use serde::de::DeserializeOwned;

use crate::{lake::PlaceArgs, sql::connect};

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

/// A time as SQL writes it.
pub fn moment(text: &str) -> Option<Timestamp> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let at = with_offset.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    at.ok().map(|at| Timestamp::from_micros(at.timestamp_micros()))
}
