-- Question:   What happened to one request, in order?
-- Parameters: $request_id
-- Reads:      the files whose range of request ids includes this one (a request id carries its time: usually one or two files, of
--             days from the request's on), and what the lake does not have yet from the log
select
    seq,
    time,
    kind,
    coalesce(route_attempt, invocation_attempt, cost_attempt) as attempt,
    case kind
        when 'request' then request_decision || ' ' || request_operation
        when 'prompt' then prompt_prompt_id || ' ' || prompt_version
        when 'route' then route_decision || coalesce(' ' || route_chosen, '')
        when 'invocation' then invocation_status || ' ' || invocation_model
        when 'validation' then validation_status || ' ' || validation_handling
        when 'cost' then coalesce(cost_price_id, cost_finding)
        when 'outcome' then outcome_class || coalesce(' ' || outcome_code, '')
    end as what,
    coalesce(invocation_duration_us, outcome_duration_us) as duration_us,
    invocation_input_tokens as input_tokens,
    invocation_output_tokens as output_tokens,
    pico_usd(cost_amount_pico) as cost_usd,
    tenant,
    capability,
    source,
    event_id
from events
where request_id = $request_id
order by log_partition, log_position
