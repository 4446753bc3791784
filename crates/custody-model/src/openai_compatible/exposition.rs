//! The few figures of vLLM's `/metrics` that say how busy it is. A page is text of the other side: what can't be read is skipped.
//!
//! ```text
//! # HELP vllm:num_requests_running …
//! vllm:num_requests_running{engine="0",model_name="m"} 3.0
//!          name                      labels           value [time]
//! ```

use super::Capacity;

const RUNNING: &str = "vllm:num_requests_running";
const WAITING: &str = "vllm:num_requests_waiting";
const CACHE: &str = "vllm:kv_cache_usage_perc";
/// What older versions of vLLM call it.
const OLD_CACHE: &str = "vllm:gpu_cache_usage_perc";

/// Counts are summed over the engines and models of a server; the fullest cache stands for all.
pub(super) fn capacity(page: &str) -> Capacity {
    let (mut capacity, mut old_cache) = (Capacity::default(), None);
    for (name, value) in page.lines().filter_map(sample) {
        let add = |sum: Option<f64>| Some(sum.unwrap_or(0.0) + value);
        let most = |most: Option<f64>| Some(most.unwrap_or(0.0).max(value.min(1.0)));
        match name {
            RUNNING => capacity.running = add(capacity.running),
            WAITING => capacity.waiting = add(capacity.waiting),
            CACHE => capacity.cache_usage = most(capacity.cache_usage),
            OLD_CACHE => old_cache = most(old_cache),
            _ => {}
        }
    }
    capacity.cache_usage = capacity.cache_usage.or(old_cache);
    capacity
}

/// A line's name and value; none for a comment and for what is no sensible figure.
fn sample(line: &str) -> Option<(&str, f64)> {
    let end = line.find(['{', ' ', '\t'])?;
    let (name, rest) = line.split_at_checked(end)?;
    let rest = if rest.starts_with('{') { behind_labels(rest)? } else { rest };
    let value: f64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some((name, value))
}

/// What stands behind the closing brace; one inside quotes closes nothing.
fn behind_labels(text: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return text.get(place + 1..),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    // PAT-04.
    #[test]
    fn a_page_of_vllm_is_read_over_all_its_engines() {
        let page = "# HELP vllm:num_requests_running Number of requests.\n# TYPE vllm:num_requests_running gauge\n\
            vllm:num_requests_running{engine=\"0\",model_name=\"a}b \\\" 9\"} 3.0\nvllm:num_requests_running{engine=\"1\"} 2.0 1700000000\n\
            vllm:num_requests_waiting 4\nvllm:num_requests_waiting_by_reason{reason=\"x\"} 70\n\
            vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\nvllm:kv_cache_usage_perc{engine=\"1\"} 0.5\nvllm:gpu_cache_usage_perc 0.9\n";
        assert_eq!(capacity(page), Capacity { running: Some(5.0), waiting: Some(4.0), cache_usage: Some(0.5) });
        assert_eq!(capacity("vllm:gpu_cache_usage_perc{} 0.9").cache_usage, Some(0.9));
    }

    #[test]
    fn what_is_no_figure_is_not_counted() {
        for page in [
            "",
            "<html>busy</html>",
            "vllm:num_requests_running",
            "vllm:num_requests_running{",
            "vllm:num_requests_running{a=\"} 1",
            "vllm:num_requests_running NaN",
            "vllm:num_requests_running +Inf",
            "vllm:num_requests_running -1",
            "vllm:num_requests_running{} x",
            "vllm:num_requests_running_other 1",
        ] {
            assert_eq!(capacity(page), Capacity::default(), "{page}");
        }
        assert_eq!(capacity("vllm:kv_cache_usage_perc 7").cache_usage, Some(1.0));
    }
}
