-- Question:   Which requests have no outcome (yet), and which were cut off and closed by recovery?
-- Parameters: $from_day (date, UTC; the day of the oldest request looked at)
-- Reads:      6 columns of requests and outcomes of all days from $from_day on; outcomes are looked for on every later day,
--             because recovery may come days after the request
select
    case when o.request_id is null then 'open' else o.class end as state,
    r.time as received_at,
    o.time as closed_at,
    r.tenant,
    r.capability,
    r.request_id
from requests r
left join outcomes o on o.request_id = r.request_id and o.event_date >= $from_day
where r.event_date >= $from_day and (o.request_id is null or o.recovered)
order by received_at, r.request_id
