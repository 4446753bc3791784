-- Question:   How many tokens did each model take in and give out, and how much came from caches?
-- Parameters: $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      10 columns of the days asked for
select
    provider,
    coalesce(model_used, model) as model,
    count(*) as attempts,
    sum(input_tokens) as input_tokens,
    sum(cache_read_tokens) as cache_read_tokens,
    coalesce(sum(cache_write_5m_tokens), 0) + coalesce(sum(cache_write_1h_tokens), 0) as cache_write_tokens,
    sum(output_tokens) as output_tokens,
    count(*) - count(input_tokens) as attempts_without_usage
from invocations
where event_date >= $from_day and event_date < $before_day
group by provider, coalesce(model_used, model)
order by input_tokens desc nulls last, provider, model
