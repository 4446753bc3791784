-- Question:   How long do requests take, and how much of it is ours rather than the model's?
-- Parameters: $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      6 columns of the days asked for; percentiles are estimates (t-digest, within about 1 %), so memory stays small
select
    tenant,
    capability,
    count(*) as requests,
    cast(approx_percentile_cont(0.5) within group (order by duration_us) as bigint) as p50_us,
    cast(approx_percentile_cont(0.95) within group (order by duration_us) as bigint) as p95_us,
    cast(approx_percentile_cont(0.99) within group (order by duration_us) as bigint) as p99_us,
    cast(approx_percentile_cont(0.99) within group (order by overhead_us) as bigint) as overhead_p99_us
from outcomes
where event_date >= $from_day and event_date < $before_day and class <> 'refused'
group by tenant, capability
order by p99_us desc nulls last, tenant, capability
