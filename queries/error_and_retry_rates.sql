-- Question:   Of the requests of each tenant and capability, what share failed, and what share needed more than one attempt?
-- Parameters: $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      6 columns of the days asked for
select
    tenant,
    capability,
    count(*) as requests,
    count(*) filter (where class = 'answered') as answered,
    count(*) filter (where class = 'refused') as refused,
    count(*) filter (where class not in ('answered', 'truncated', 'refused')) as failed,
    count(*) filter (where attempts > 1) as retried,
    round(100.0 * count(*) filter (where class not in ('answered', 'truncated', 'refused')) / count(*), 2) as failed_percent,
    round(100.0 * count(*) filter (where attempts > 1) / count(*), 2) as retried_percent
from outcomes
where event_date >= $from_day and event_date < $before_day
group by tenant, capability
order by failed_percent desc, retried_percent desc, tenant, capability
