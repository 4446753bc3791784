-- Question:   What did each tenant cost on each day, and how much of it has no price?
-- Parameters: $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      6 columns of the days asked for; days are partitions, so nothing of other days is opened
select
    event_date as day,
    tenant,
    count(*) as charged_attempts,
    sum(cost_usd) as cost_usd,
    count(*) - count(amount_pico) as attempts_without_amount
from costs
where event_date >= $from_day and event_date < $before_day
group by event_date, tenant
order by day, tenant
