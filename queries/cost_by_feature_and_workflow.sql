-- Question:   Which features and workflows of a tenant cost what, and what does one request of theirs cost on average? What has no
--             amount is in neither, and counted apart.
-- Parameters: $tenant; $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      8 columns of the days asked for; files are sorted by tenant and feature, so most row groups of other tenants are
--             skipped
select
    feature,
    workflow,
    count(distinct request_id) as charged_requests,
    sum(cost_usd) as cost_usd,
    sum(cost_usd) / count(distinct request_id) filter (where cost_usd is not null) as cost_usd_per_priced_request,
    count(*) filter (where cost_usd is null) as costs_without_amount
from costs
where tenant = $tenant and event_date >= $from_day and event_date < $before_day
group by feature, workflow
order by cost_usd desc nulls last, feature, workflow
