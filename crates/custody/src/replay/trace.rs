//! Traces of real traffic: what arrived when, for whom, with how many tokens.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, Result, bail};

/// One request of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRow {
    /// Seconds since the trace began.
    pub offset_seconds: f64,
    /// Tenant, where the trace names one.
    pub tenant: Option<String>,
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
}

/// Which columns a trace has.
enum Form {
    /// `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure LLM inference traces).
    Azure,
    /// `ts_s,tenant,model,input_tokens,output_tokens` (`ServeGen`).
    ServeGen,
}

/// Reads a trace; the header tells its form.
pub fn read(path: &Path) -> Result<Vec<TraceRow>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the trace `{}`", path.display()))?;
    let mut lines = text.lines().enumerate();
    let header = lines.next().map(|(_, line)| line.trim()).unwrap_or_default();
    let form = match header {
        "TIMESTAMP,ContextTokens,GeneratedTokens" => Form::Azure,
        "ts_s,tenant,model,input_tokens,output_tokens" => Form::ServeGen,
        other => bail!(
            "`{}` begins with `{}`; a trace begins with `TIMESTAMP,ContextTokens,GeneratedTokens` or `ts_s,tenant,model,input_tokens,output_tokens`",
            path.display(),
            other.chars().take(80).collect::<String>()
        ),
    };
    let mut rows = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let row = parse(&form, line).with_context(|| format!("line {} of `{}` does not follow its header", number + 1, path.display()))?;
        rows.push(row);
    }
    let first = rows.first().map_or(0.0, |row| row.offset_seconds);
    rows.iter_mut().for_each(|row| row.offset_seconds = (row.offset_seconds - first).max(0.0));
    Ok(rows)
}

/// The tenants that a trace names.
pub fn tenants(rows: &[TraceRow]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row.tenant.clone()).collect()
}

fn parse(form: &Form, line: &str) -> Result<TraceRow> {
    let fields: Vec<&str> = line.trim().split(',').collect();
    match (form, fields.as_slice()) {
        (Form::Azure, [time, input, output]) => {
            Ok(TraceRow { offset_seconds: seconds_of(time)?, tenant: None, input_tokens: input.parse()?, output_tokens: output.parse()? })
        }
        (Form::ServeGen, [time, tenant, _model, input, output]) => Ok(TraceRow {
            offset_seconds: time.parse()?,
            tenant: Some((*tenant).to_owned()),
            input_tokens: input.parse()?,
            output_tokens: output.parse()?,
        }),
        _ => bail!("wrong number of fields"),
    }
}

/// Seconds of `YYYY-MM-DD HH:MM:SS.fffffff` since the start of its month; traces last hours.
fn seconds_of(time: &str) -> Result<f64> {
    let (date, clock) = time.split_once(' ').context("no space between date and time")?;
    let day: f64 = date.rsplit('-').next().context("no day")?.parse()?;
    let parts: Vec<f64> = clock.split(':').map(str::parse).collect::<Result<_, _>>()?;
    match parts.as_slice() {
        [hours, minutes, seconds] => Ok(day.mul_add(86_400.0, hours.mul_add(3_600.0, minutes.mul_add(60.0, *seconds)))),
        _ => bail!("a time has hours, minutes and seconds"),
    }
}
