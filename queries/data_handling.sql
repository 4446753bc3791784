-- Question:   What of each workflow is kept: which texts, by which rule, why, how long, how much, and of what share of its requests?
-- Parameters: $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      15 columns of the days asked for and of the day after, where a request's texts may lie; `handling_rule` is
--             `<name>@<version of data-handling.toml>`, which says how the text is redacted for analysts and who may see it. A row
--             without a part: requests of which nothing is kept. Each text is sealed with the key of its tenant, person, purpose and month
with asked as (
    select request_id, workflow, capability, handling_rule
    from requests
    where event_date >= cast($from_day as date) and event_date < cast($before_day as date)
),
kept as (
    select request_id, part, purpose, retention_class, count(*) as texts, sum(bytes) as bytes, max(expires_on) as last_expires_on,
        sum(case when claim_check then 1 else 0 end) as claim_checks
    from contents
    where event_date >= cast($from_day as date) and event_date < cast($before_day as date) + interval '1 day'
    group by request_id, part, purpose, retention_class
),
all_of as (
    select workflow, capability, handling_rule, count(*) as requests from asked group by workflow, capability, handling_rule
)
select
    a.workflow,
    a.capability,
    a.handling_rule,
    k.part,
    k.purpose,
    k.retention_class,
    all_of.requests,
    count(k.request_id) as requests_kept,
    round(100.0 * count(k.request_id) / all_of.requests, 1) as kept_percent,
    coalesce(sum(k.texts), 0) as texts,
    coalesce(sum(k.bytes), 0) as bytes,
    coalesce(sum(k.claim_checks), 0) as claim_checks,
    max(k.last_expires_on) as last_expires_on
from asked a
join all_of
    on (all_of.workflow is not distinct from a.workflow)
    and (all_of.capability is not distinct from a.capability)
    and (all_of.handling_rule is not distinct from a.handling_rule)
left join kept k on k.request_id = a.request_id
group by a.workflow, a.capability, a.handling_rule, k.part, k.purpose, k.retention_class, all_of.requests
order by a.workflow, a.capability, a.handling_rule, k.part, k.purpose, k.retention_class
