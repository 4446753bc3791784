"""What Custody must tell its caller and its trail about a case, given the truth; every difference as a sentence.

Where REFERENCE.md leaves a choice (section 1.7 is a proposal), all that is defensible is accepted here, in these tables and nowhere
else: narrow them when the product has decided.
"""

from decimal import Decimal

from custody_process import GUARDRAIL_PRICES, PRICES
from fronts import CONVERSE_FRONT, CONVERSE_STREAM_FRONT, OPENAI, OPENAI_STREAM

FINISH = {
    "end_turn": {"stop"}, "stop_sequence": {"stop"}, "max_tokens": {"length"}, "model_context_window_exceeded": {"length"},
    "tool_use": {"tool_calls"}, "guardrail_intervened": {"content_filter"}, "content_filtered": {"content_filter"},
    "malformed_model_output": {"stop", "other"}, "malformed_tool_use": {"stop", "other"}, "pondering": {"stop", "other"},
}
# Outcome classes that are no failure of the way to the model.
CLASSES = {
    "end_turn": {"answered"}, "stop_sequence": {"answered"}, "tool_use": {"answered", "tool"},
    "max_tokens": {"truncated"}, "model_context_window_exceeded": {"truncated"},
    "guardrail_intervened": {"blocked_guardrail", "refused", "answered"}, "content_filtered": {"blocked_provider", "refused", "answered"},
    "malformed_model_output": {"invalid_output"}, "malformed_tool_use": {"invalid_output"},
    "pondering": {"answered", "invalid_output"},
}
FAILED = {"failed", "interrupted"}
# Of an attempt, by how the provider's answer ended.
STATUSES = {
    "complete": {"completed"}, "error": {"refused", "failed"}, "exception": {"cut", "failed", "refused"}, "cut": {"cut", "failed"},
    "malformed": {"failed"}, "stalled": {"timed_out"},
}
# Of the caller's answer, where no answer comes; a caller's own status is never the provider's 4xx about the gateway.
CALLER_STATUSES = {
    "ValidationException": {400, 502}, "ServiceQuotaExceededException": {429, 503}, "AccessDeniedException": {502},
    "ResourceNotFoundException": {502}, "ModelTimeoutException": {504}, "ModelErrorException": {502}, "ModelStreamErrorException": {502},
    "ThrottlingException": {429, 503}, "ModelNotReadyException": {429, 503}, "InternalServerException": {502, 503},
    "ServiceUnavailableException": {503, 502},
}
# Where an error names no exception, its status alone tells.
NAMELESS = {400: {400, 502}, 408: {504}, 429: {429, 503}, 504: {504, 502, 503}}
OTHERWISE = {"stalled": {504}, "error": {502, 503}, "exception": {400, 429, 502, 503, 504}, "cut": {502, 503}, "malformed": {502}}
# The same in AWS's form: a model that failed is a ModelErrorException, one that was too slow a ModelTimeoutException.
IN_CONVERSE = {502: 424, 504: 408}
# What is known to be told wrongly, and why: pieces of two tool calls in turn can't be told in Converse's order of blocks without holding
# all of them back, since the first block was ended when the second began.
KNOWN = {("stub.stream.interleaved", CONVERSE_STREAM_FRONT)}
# The gateway keeps no answer larger than this, so such a truth reaches no caller in one piece.
MOST_ANSWER = 8 << 20
CANT_BE_KNOWN = {"usage_unknown", "usage_inconsistent"}


def differences(case, front, seen, trail, received):
    """Sentences; none where all is as it must be. `trail` has the rows of this one request by view, `received` is the stub's count."""
    found = _of_attempts(case, trail, received)
    if case.varies or (case.name, front) in KNOWN:
        return found
    # A stream that is passed on as it comes need not be kept.
    passed_on = front in (OPENAI_STREAM, CONVERSE_STREAM_FRONT) and seen.end == "complete"
    too_large = len(case.truth.text or "") > MOST_ANSWER and not passed_on
    for place, invocation in enumerate(trail["invocations"]):
        met = case.first[place] if place < len(case.first) else case.truth
        found += [f"attempt {place + 1}: {one}" for one in _of_invocation(met, invocation, too_large)]
        of_attempt = {view: [row for row in trail[view] if row["attempt"] == invocation["attempt"]] for view in ("costs", "guardrails")}
        costs = [cost for cost in of_attempt["costs"] if cost["charged_for"] == "model"]
        found += [f"attempt {place + 1}: {one}" for one in _of_costs(met, costs, too_large)]
        costs = [cost for cost in of_attempt["costs"] if cost["charged_for"] != "model"]
        found += [f"attempt {place + 1}: {one}" for one in _of_guardrails(met, of_attempt["guardrails"], costs)]
    whole = case.truth.end == "complete" and not too_large
    found += _of_outcome(case, trail["outcomes"], whole)
    found += (_of_answer if whole else _of_failure)(case, front, seen)
    return found


def _of_attempts(case, trail, received):
    """One request, one outcome; an attempt for each request that the provider saw, and none that it did not."""
    found = []
    for view in ("requests", "outcomes"):
        if len(trail[view]) != 1:
            found.append(f"{len(trail[view])} {view}")
    attempts = len(trail["invocations"])
    sent = attempts if case.unreachable else received
    if attempts != sent or not attempts:
        found.append(f"{attempts} attempts recorded, the provider received {received}")
    if case.unreachable and received:
        found.append("the stub received what was meant for nobody")
    if trail["outcomes"] and trail["outcomes"][0]["attempts"] != attempts:
        found.append(f"the outcome says {trail['outcomes'][0]['attempts']} attempts, {attempts} are recorded")
    return found


def _of_invocation(truth, invocation, too_large):
    accepted = {"failed"} if too_large else STATUSES[truth.end]
    if invocation["status"] not in accepted:
        yield f"status {invocation['status']}, not {accepted}"
    if truth.status and truth.end != "stalled" and invocation["http_status"] != truth.status:
        yield f"HTTP status {invocation['http_status']}, not {truth.status}"
    if (invocation["error_code"] is None) != (truth.end == "complete" and not too_large):
        yield f"error code {invocation['error_code']}"
    if truth.end == "complete" and not too_large and invocation["finish_reason"] not in FINISH[truth.stop_reason]:
        yield f"finish reason {invocation['finish_reason']}, not {FINISH[truth.stop_reason]}"
    yield from _of_usage(truth, invocation, too_large)


def _of_usage(truth, invocation, too_large):
    counts = canonical(truth.usage)
    recorded = {name: invocation[name] for name in ("input_tokens", *COUNTED)}
    nothing = invocation["input_tokens"] is None and invocation["output_tokens"] is None
    # Usage after the bound of an answer was not read; contradicting usage may be set aside.
    if nothing and (counts is None or too_large or truth.doubtful):
        return
    if counts is None:
        yield f"usage {recorded} where the provider stated none that can be used"
    elif any((recorded[name] or 0) != counts[name] for name in counts):
        yield f"usage {recorded}, not {counts}"


def _of_costs(truth, costs, too_large):
    amounts, findings = [cost["amount_pico"] for cost in costs], {cost["finding"] for cost in costs}
    if truth.charged == "no":
        if any(amounts):
            yield f"costs {amounts}, and nothing was charged"
        return
    if len(costs) != 1:
        yield f"{len(costs)} costs"
        return
    open_question = truth.charged == "unknown" or too_large or truth.doubtful
    if amounts == [None] and open_question:
        if not findings <= CANT_BE_KNOWN:
            yield f"finding {findings}"
        return
    if amounts == [None] and findings == {"missing_price"} and truth.served_otherwise:
        return
    if truth.charged == "unknown" or amounts != [price(truth.usage)]:
        yield f"costs {amounts} with {findings}, not {price(truth.usage) if truth.charged == 'yes' else 'unknown'}"


def _of_guardrails(truth, guardrails, costs):
    """An event for each guardrail and side, and one cost for all of them: where no trace tells its units, that is unknown."""
    if truth.guardrails is None:
        return
    recorded = [(row["guardrail_id"], row["side"], row["action"]) for row in guardrails]
    if recorded != list(truth.guardrails):
        yield f"guardrails {recorded}, not {list(truth.guardrails)}"
    if wrong := [row["version"] for row in guardrails if row["version"] != ("3" if row["guardrail_id"] else None)]:
        yield f"guardrail versions {wrong}"
    told = [row for row in truth.guardrails if row[1] != "unknown"]
    one_each = int(sum(map(Decimal, GUARDRAIL_PRICES.values())) * 10**12)
    expected = [("guardrail", len(told) * one_each if told else None, None if told else "usage_unknown")] if truth.guardrails else []
    amounts = [(cost["charged_for"], cost["amount_pico"], cost["finding"]) for cost in costs]
    if amounts != expected:
        yield f"guardrail costs {amounts}, not {expected}"


def _guardrail_statuses(case, whole):
    truth = case.truth
    if truth.stop_reason == "guardrail_intervened":
        return {"intervened"}
    if not truth.guardrails:
        return {"not_required"}
    return {"passed"} if whole else {"unknown", "passed"}


def _of_outcome(case, outcomes, whole):
    if not outcomes:
        return
    accepted = _guardrail_statuses(case, whole)
    if case.truth.guardrails is not None and outcomes[0]["guardrail_status"] not in accepted:
        yield f"guardrail status {outcomes[0]['guardrail_status']}, not {accepted}"
    accepted = CLASSES[case.truth.stop_reason] if whole else FAILED
    if outcomes[0]["class"] not in accepted:
        yield f"outcome {outcomes[0]['class']}, not {accepted}"
    # Invalid output may be shown with a flag.
    if whole and outcomes[0]["code"] is not None and outcomes[0]["class"] in ("answered", "truncated"):
        yield f"outcome code {outcomes[0]['code']}"


def _of_answer(case, front, seen):
    truth = case.truth
    refusable = CLASSES[truth.stop_reason] - {"answered", "truncated", "tool"}
    if refusable and seen.end == "error" and seen.status >= 400:
        return
    if (seen.status, seen.end) != (200, "complete"):
        yield f"the caller got {seen.status} {seen.end} {seen.code}, not a whole answer"
        return
    if seen.text != truth.text and not refusable:
        yield f"the caller got {len(seen.text or '')} characters of text, not the {len(truth.text)} that were said"
    if front in (OPENAI, OPENAI_STREAM):
        accepted = FINISH[truth.stop_reason] - {"other"}
        if seen.finish not in accepted:
            yield f"the caller got finish {seen.finish}, not {accepted}"
    elif seen.finish != truth.stop_reason and truth.stop_reason != "pondering":
        yield f"the caller got stop reason {seen.finish}, not {truth.stop_reason}"
    if tuple(seen.tools) != truth.tools and truth.tools:
        yield "the caller got other tool calls"
    yield from _of_shown_usage(truth, front, seen.usage)


def _of_shown_usage(truth, front, shown):
    counts = canonical(truth.usage)
    if counts is None or truth.doubtful:
        return
    if front in (OPENAI, OPENAI_STREAM):
        got = (shown or {}).get("prompt_tokens"), (shown or {}).get("completion_tokens")
    else:
        parts = [(shown or {}).get(name) or 0 for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")]
        got = sum(parts), (shown or {}).get("outputTokens")
    if got != (counts["input_tokens"], counts["output_tokens"]):
        yield f"the caller got usage {got}, not {counts['input_tokens'], counts['output_tokens']}"


def _of_failure(case, front, seen):
    truth = case.truth
    # Once text has left, the status is spent; then the stream must say that it failed, or break.
    if front in (OPENAI_STREAM, CONVERSE_STREAM_FRONT) and seen.status in (200, None) and seen.end in ("exception", "cut"):
        if seen.end == "cut" and front == CONVERSE_STREAM_FRONT and seen.finish is None:
            return
        if seen.end == "cut":
            yield "the stream ended without saying that it failed"
        return
    otherwise = OTHERWISE[truth.end if truth.end != "complete" else "malformed"]
    accepted = CALLER_STATUSES.get(truth.exception) or (NAMELESS.get(truth.status, otherwise) if truth.end == "error" else otherwise)
    if front in (CONVERSE_FRONT, CONVERSE_STREAM_FRONT):
        accepted = {IN_CONVERSE.get(status, status) for status in accepted}
    if seen.end != "error" or seen.status not in accepted:
        yield f"the caller got {seen.status} {seen.end} {seen.code}, not an error with {accepted}"
    if front == CONVERSE_FRONT and seen.end == "error" and not (seen.code or "").endswith("Exception"):
        yield f"the caller got code {seen.code}, which AWS's clients know no class for"


COUNTED = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")


def canonical(usage):
    """Bedrock's counts in Custody's: all input in one, and cache writes by their lifetime; five minutes where none is said."""
    if usage is None:
        return None
    read, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    hour = sum(detail["inputTokens"] for detail in usage.get("cacheDetails", []) if detail["ttl"] == "1h")
    return {
        "input_tokens": usage["inputTokens"] + read + written, "cache_read_tokens": read, "cache_write_5m_tokens": written - hour,
        "cache_write_1h_tokens": hour, "output_tokens": usage["outputTokens"]}


def price(usage):
    """In 10^-12 dollars: dollars per million tokens are millions of these per token."""
    counts = canonical(usage)
    if counts is None:
        return None
    cached = ("cache_read", "cache_write_5m", "cache_write_1h")
    amounts = {name: counts[f"{name}_tokens"] for name in cached} | {"output": counts["output_tokens"]}
    amounts["input"] = counts["input_tokens"] - sum(counts[f"{name}_tokens"] for name in cached)
    return int(sum(Decimal(PRICES[name]) * 1_000_000 * count for name, count in amounts.items()))
