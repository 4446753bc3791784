-- Question:   Which features and workflows of a tenant cost what, and what does one request of theirs cost on average?
-- Parameters: $tenant; $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      8 columns of the days asked for; files are sorted by tenant and feature, so most row groups of other tenants are
--             skipped
select
    feature,
    workflow,
    count(distinct request_id) as requests,
    sum(cost_usd) as cost_usd,
    sum(cost_usd) / count(distinct request_id) as cost_usd_per_request
from costs
where tenant = $tenant and event_date >= $from_day and event_date < $before_day
group by feature, workflow
order by cost_usd desc nulls last, feature, workflow
