-- Question:   Who or what did requests, attempts, tokens and cost belong to, and how much of the cost was for retries, for other
--             routes, for attempts that gave no answer, and how much did caches save? Sums over all keys are those of the period.
-- Parameters: $by (tenant, feature, workflow, capability, model, route, prompt, api_key or tag), $tag (the tag's name; empty unless
--             $by is tag); $from_day, $before_day (dates, UTC; the second day is not included)
-- Reads:      25 columns of the days asked for and of the day before and after, where a request's other events may lie; by model or
--             route, a request counts where its first attempt went. A retry is an attempt on a route that the request tried before,
--             a fallback the first on a route other than its first: no attempt is both. Savings are what cache reads would have
--             cost as plain input, less what they cost; where the attempt had no plain input, its price is not in the events, so the
--             read is counted in cache_reads_without_savings: `custody price reprice --savings` has the price from the book
with tries as (
    select
        request_id,
        attempt,
        route,
        model,
        status <> 'completed' as without_answer,
        row_number() over (partition by request_id order by attempt) = 1 as is_first,
        row_number() over (partition by request_id, route order by attempt) > 1 as is_retry,
        first_value(route) over (partition by request_id order by attempt) <> route as is_elsewhere
    from (
        select distinct on (request_id, attempt) request_id, attempt, route, model, status
        from invocations
        where event_date >= cast($from_day as date) - interval '1 day' and event_date < cast($before_day as date) + interval '1 day'
        order by request_id, attempt
    )
),
prompt_of as (
    select distinct on (request_id) request_id, prompt_id || ' ' || version as prompt
    from prompts
    where event_date >= cast($from_day as date) - interval '1 day' and event_date < cast($before_day as date) + interval '1 day'
    order by request_id
),
asked as (
    select
        r.request_id, r.tenant, r.feature, r.workflow, r.capability, r.api_key_id, r.tags[$tag] as tag, t.model, t.route,
        1 as requests
    from requests r
    left join tries t on t.request_id = r.request_id and t.is_first
    where r.event_date >= cast($from_day as date) and r.event_date < cast($before_day as date)
),
tried as (
    select
        request_id, tenant, feature, workflow, capability, api_key_id, tags[$tag] as tag, model, route,
        1 as attempts, input_tokens, cache_read_tokens, output_tokens,
        coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0) as cache_write_tokens
    from invocations
    where event_date >= cast($from_day as date) and event_date < cast($before_day as date)
),
paid as (
    select
        c.request_id, c.tenant, c.feature, c.workflow, c.capability, c.api_key_id, c.tags[$tag] as tag, c.model, c.route,
        1 as costs, c.amount_pico, t.is_retry, t.is_elsewhere and not t.is_retry as is_fallback, t.without_answer,
        c.charged_for = 'guardrail' as is_guardrail, c.cache_read_tokens > 0 as is_read,
        case when c.cache_read_tokens > 0 and c.input_pico % nullif(c.uncached_input_tokens, 0) = 0 then try_cast(
            cast(c.cache_read_tokens as decimal(19, 0)) * cast(c.input_pico / nullif(c.uncached_input_tokens, 0) as decimal(19, 0))
            - cast(c.cache_read_pico as decimal(38, 0)) as bigint) end as saved_pico
    from costs c
    left join tries t on t.request_id = c.request_id and t.attempt = c.attempt
    where c.event_date >= cast($from_day as date) and c.event_date < cast($before_day as date)
),
facts as (
    select * from asked
    union all by name
    select * from tried
    union all by name
    select * from paid
)
select
    case $by
        when 'tenant' then f.tenant
        when 'feature' then f.feature
        when 'workflow' then f.workflow
        when 'capability' then f.capability
        when 'model' then f.model
        when 'route' then f.route
        when 'prompt' then p.prompt
        when 'api_key' then f.api_key_id
        when 'tag' then f.tag
    end as key,
    coalesce(sum(f.requests), 0) as requests,
    coalesce(sum(f.attempts), 0) as attempts,
    coalesce(sum(f.input_tokens), 0) as input_tokens,
    coalesce(sum(f.cache_read_tokens), 0) as cache_read_tokens,
    coalesce(sum(f.cache_write_tokens), 0) as cache_write_tokens,
    coalesce(sum(f.output_tokens), 0) as output_tokens,
    sum(pico_usd(f.amount_pico)) as cost_usd,
    count(f.costs) - count(f.amount_pico) as costs_without_amount,
    sum(pico_usd(f.amount_pico)) filter (where f.is_retry) as retries_usd,
    sum(pico_usd(f.amount_pico)) filter (where f.is_fallback) as fallbacks_usd,
    sum(pico_usd(f.amount_pico)) filter (where f.without_answer) as without_answer_usd,
    sum(pico_usd(f.amount_pico)) filter (where f.is_guardrail) as guardrails_usd,
    sum(pico_usd(f.saved_pico)) as cache_savings_usd,
    count(*) filter (where f.is_read and f.saved_pico is null) as cache_reads_without_savings
from facts f
left join prompt_of p on p.request_id = f.request_id
where $by in ('tenant', 'feature', 'workflow', 'capability', 'model', 'route', 'prompt', 'api_key', 'tag')
group by 1
order by cost_usd desc nulls last, key
