//! Our attempts at Bedrock around the log's time.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Days, NaiveDate};
use custody_price::invocation_log::RecordedCall;
use custody_query::SqlSession;
use custody_types::{RequestId, Text, Timestamp};

use super::super::{
    attempt::{Attempt, EVENTS_OF_ATTEMPTS, Row},
    events,
};

const AT_BEDROCK: &str = "
    and coalesce(route_provider, invocation_provider, cost_provider) = 'bedrock'
    and event_date >= $from_day and event_date < $before_day";

/// Attempts and what they are joined by, at the same places of both lists.
pub(super) struct Trail {
    pub(super) calls: Vec<RecordedCall>,
    pub(super) attempts: Vec<Attempt>,
}

impl Trail {
    /// Attempts from the day before to the day after, because events of a call lie on either side of its logged second.
    pub(super) async fn of(session: &SqlSession, (first, last): (Timestamp, Timestamp)) -> Result<Self> {
        let from = day(first)?.checked_sub_days(Days::new(1)).context("the log begins before the calendar")?;
        let before = day(last)?.checked_add_days(Days::new(2)).context("the log ends after the calendar")?;
        let parameters = [format!("from_day={from}"), format!("before_day={before}")];
        let mut attempts: BTreeMap<(String, i32), Attempt> = BTreeMap::new();
        events::each_row(session, &format!("{EVENTS_OF_ATTEMPTS}{AT_BEDROCK}"), &parameters, |row: Row| {
            let id = row.request_id.clone().unwrap_or_default();
            attempts.entry((id, row.attempt.unwrap_or(0))).or_default().learn(row);
        })
        .await?;
        let mut trail = Self { calls: Vec::new(), attempts: Vec::new() };
        // What has not ended has not been charged, and its end may yet come.
        for ((id, attempt), told) in attempts.into_iter().filter(|(_, told)| told.invoked.status.is_some()) {
            let request_id = id.parse::<RequestId>().context("a request id of the trail cannot be read")?;
            let provider_request_id = told.invoked.provider_request_id.as_deref().map(Text::from);
            trail.calls.push(RecordedCall { request_id, attempt, provider_request_id });
            trail.attempts.push(told);
        }
        Ok(trail)
    }
}

fn day(at: Timestamp) -> Result<NaiveDate> {
    Ok(DateTime::from_timestamp_micros(at.micros()).context("the log has a time that no calendar has")?.date_naive())
}
