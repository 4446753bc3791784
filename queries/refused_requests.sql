-- Question:   Which requests were refused, with which code, at which stage, and for whom?
-- Parameters: $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      9 columns of the days asked for
select
    code,
    http_status,
    stage,
    tenant,
    principal,
    count(*) as requests,
    min(time) as first_at,
    max(time) as last_at
from outcomes
where class = 'refused' and event_date >= $from_day and event_date < $before_day
group by code, http_status, stage, tenant, principal
order by requests desc, code, tenant, principal
