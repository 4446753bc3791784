"""Every case that the stub can play, and what whoever asks must find. Data only: how a case is played stands in the other files.

A case is picked by the model id. Model ids of Converse have no underscore beside a dot, so `end_turn` is `stub.stop.end-turn`. An id
may come inside an ARN (its part after the last slash counts) and behind a geography (`eu.stub.ok`).
"""

from dataclasses import dataclass, field, replace

CONVERSE, STREAM = "Converse", "ConverseStream"
BOTH = (CONVERSE, STREAM)

ANSWER = "The parcel left Rotterdam this morning. It comes on Friday — 包裹 📦."
HALF = ANSWER[:24]
BEFORE_TOOL = "I will look that up."
REASONING, REASONING_SIGNATURE = "The number begins with NL, so it is Dutch.", "c2lnbmF0dXJlIG9mIHRoZSBzdHVi"
REDACTED = b"nobody reads this"
TOOL = {"toolUseId": "tooluse_stub.1", "name": "find_parcel", "input": {"number": "NL-4711", "options": {"history": True, "days": 3}}}
SECOND_TOOL = {"toolUseId": "tooluse_stub.2", "name": "find_sender", "input": {"number": "NL-4711"}}
NO_INPUT_TOOL = {"toolUseId": "tooluse_stub.3", "name": "list_parcels", "input": {}}
BLOCKED_TEXT = "Sorry, this can't be answered."
MASKED_TEXT = "Write to {EMAIL}."
HUGE = 1 << 20
# Beyond what a gateway should keep in memory for one answer; Custody's bound is 8 MiB unless configured.
TOO_HUGE = 9 << 20
FILLER = "0123456789abcdef"
GUARDRAIL = "stubguardrail"
# What a route says that puts it around its calls.
GUARDED = f'guardrail_id = "{GUARDRAIL}"\nguardrail_version = "3"\n'

# These stand in traces and in messages of errors. They may reach nobody and be stored nowhere.
MATCHES = {"email": "canary.person@example.invalid", "regex": "CANARY-BADGE-7741", "word": "canaryword", "profanity": "canaryoath"}
UNMASKED_OUTPUT = "Write to canary.person@example.invalid (canary output before the guardrail)."
UPSTREAM_MESSAGE = "canary: what the provider says about the request"
CANARIES = (*MATCHES.values(), UNMASKED_OUTPUT, UPSTREAM_MESSAGE)

USAGE = {"inputTokens": 21, "outputTokens": 9, "totalTokens": 30}
USAGE_CACHE_READ = {**USAGE, "totalTokens": 2030, "cacheReadInputTokens": 2000, "cacheWriteInputTokens": 0, "cacheDetails": []}
USAGE_CACHE_ALL = {
    **USAGE, "totalTokens": 1730, "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 700,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 400}, {"ttl": "5m", "inputTokens": 300}]}
USAGE_CACHE_NO_DETAILS = {**USAGE, "totalTokens": 530, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 500}
USAGE_CACHE_5M = {**USAGE_CACHE_NO_DETAILS, "cacheDetails": [{"ttl": "5m", "inputTokens": 500}]}
USAGE_CACHE_1H = {**USAGE_CACHE_NO_DETAILS, "cacheDetails": [{"ttl": "1h", "inputTokens": 500}]}
USAGE_WRONG_TOTAL = {**USAGE, "totalTokens": 3}
USAGE_WRONG_DETAILS = {**USAGE_CACHE_5M, "cacheDetails": [{"ttl": "5m", "inputTokens": 900}]}
# No recorder may make an amount of these.
BAD_USAGES = {
    "negative": {"inputTokens": -21, "outputTokens": 9, "totalTokens": -12},
    "huge-number": {"inputTokens": 1 << 70, "outputTokens": 9, "totalTokens": (1 << 70) + 9},
    "fraction": {"inputTokens": 21.5, "outputTokens": 9, "totalTokens": 30.5},
    "words": {"inputTokens": "21", "outputTokens": "9", "totalTokens": "30"},
    "partial-usage": {"inputTokens": 21},
}

# Name, status, whether the model may have worked before it failed (and so may be charged).
ERRORS = (
    ("ValidationException", 400, False), ("ServiceQuotaExceededException", 400, False), ("AccessDeniedException", 403, False),
    ("ResourceNotFoundException", 404, False), ("ModelTimeoutException", 408, True), ("ModelErrorException", 424, True),
    ("ModelStreamErrorException", 424, True), ("ThrottlingException", 429, False), ("ModelNotReadyException", 429, False),
    ("InternalServerException", 500, True), ("ServiceUnavailableException", 503, False),
)
STREAM_EXCEPTIONS = (
    "internalServerException", "modelStreamErrorException", "validationException", "throttlingException", "serviceUnavailableException")
STOP_REASONS = (
    "end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered", "malformed_model_output",
    "malformed_tool_use", "model_context_window_exceeded")


@dataclass(frozen=True)
class Truth:
    """What was really so, as the one who made it knows.

    status       of HTTP; nothing where no head arrives
    end          of the answer: complete, error (status says so), exception (a stream's event), cut, malformed, stalled
    exception    its name on the wire, where it has one
    stop_reason  as sent
    usage        as sent, where it can be relied on
    text         all text that arrived in order of its blocks; nothing where no answer can be read
    tools        calls that arrived whole
    charged      yes, no or unknown: whether AWS bills this attempt
    doubtful     usage contradicts itself: whoever says so is right, and so is who takes its parts
    served_otherwise  the answer names another class of service than was asked for, which a price book need not know
    guardrails   what each guardrail did on each side: its id, the side, the action; in the words of events. None: judged elsewhere
    """

    status: int | None = 200
    end: str = "complete"
    exception: str | None = None
    stop_reason: str | None = "end_turn"
    usage: dict | None = field(default_factory=lambda: USAGE)
    text: str | None = ANSWER
    tools: tuple = ()
    charged: str = "yes"
    doubtful: bool = False
    served_otherwise: bool = False
    guardrails: tuple | None = ()


@dataclass(frozen=True)
class Case:
    name: str
    operations: tuple
    truth: Truth
    # Nobody listens where this is asked; a caller has to point elsewhere than at the stub.
    unreachable: bool = False
    # It ends only when the caller gives up.
    endless: bool = False
    # Asking again may end otherwise: only counts can be compared.
    varies: bool = False
    # What the first attempts meet, where that is not what the last one meets.
    first: tuple = ()
    # More keys of its route, as a workspace has them.
    route: str = ""


def failed(status, exception=None, charged="no", end="error"):
    return Truth(status, end, exception, None, None, None, (), charged)


def broken_off(text, end="cut", stop_reason=None, exception=None):
    """A stream that began and does not tell what it used."""
    return Truth(200, end, exception, stop_reason, None, text, (), "unknown")


def _stop(reason):
    text = BLOCKED_TEXT if reason == "guardrail_intervened" else ANSWER
    # It says that it stopped the answer, and neither which one nor where.
    guardrails = ((None, "unknown", "unknown"),) if reason == "guardrail_intervened" else ()
    tools = (TOOL,) if reason == "tool_use" else ()
    return Truth(stop_reason=reason, text=BEFORE_TOOL if reason == "tool_use" else text, tools=tools, guardrails=guardrails)


def _guarded(action):
    return ((GUARDRAIL, "input", action), (GUARDRAIL, "output", action), ("otherguardrail", "output", "none"))


def _exception_cases():
    moments = {"start": ("", None), "mid": (HALF, None), "stop": (ANSWER, "end_turn")}
    for name in STREAM_EXCEPTIONS:
        for moment, (text, stop_reason) in moments.items():
            yield Case(f"stub.stream.exception.{name}.{moment}", (STREAM,), broken_off(text, "exception", stop_reason, name))


NO_ANSWER = Truth(200, "malformed", None, None, None, None, (), "unknown")
UNSAID = Truth(usage=None, charged="unknown")

WHOLE = [
    Case("stub.ok", BOTH, Truth()),
    *(Case(f"stub.stop.{reason.replace('_', '-')}", BOTH, _stop(reason)) for reason in STOP_REASONS),
    Case("stub.unknown-stop", BOTH, Truth(stop_reason="pondering")),
    Case("stub.tools", BOTH, Truth(stop_reason="tool_use", text=BEFORE_TOOL, tools=(TOOL,))),
    Case("stub.tools.only", BOTH, Truth(stop_reason="tool_use", text="", tools=(TOOL,))),
    Case("stub.tools.two", BOTH, Truth(stop_reason="tool_use", text=BEFORE_TOOL, tools=(TOOL, SECOND_TOOL))),
    Case("stub.tools.no-input", BOTH, Truth(stop_reason="tool_use", text="", tools=(NO_INPUT_TOOL,))),
    Case("stub.reasoning", BOTH, Truth()),
    Case("stub.reasoning.redacted", BOTH, Truth()),
    Case("stub.citations", BOTH, Truth()),
    Case("stub.cache.read", BOTH, Truth(usage=USAGE_CACHE_READ)),
    Case("stub.cache.write-5m", BOTH, Truth(usage=USAGE_CACHE_5M)),
    Case("stub.cache.write-1h", BOTH, Truth(usage=USAGE_CACHE_1H)),
    Case("stub.cache.all", BOTH, Truth(usage=USAGE_CACHE_ALL)),
    Case("stub.cache.no-details", BOTH, Truth(usage=USAGE_CACHE_NO_DETAILS)),
    Case("stub.guardrail.blocked", BOTH, Truth(stop_reason="guardrail_intervened", text=BLOCKED_TEXT, guardrails=_guarded("blocked")), route=GUARDED),
    Case("stub.guardrail.masked", BOTH, Truth(stop_reason="guardrail_intervened", text=MASKED_TEXT, guardrails=_guarded("masked")), route=GUARDED),
    Case("stub.guardrail.detect-only", BOTH, Truth(guardrails=_guarded("none")), route=GUARDED),
    Case("stub.guardrail.untold", BOTH, Truth(guardrails=((GUARDRAIL, "unknown", "unknown"),)), route=GUARDED),
    Case("stub.more-members", BOTH, Truth(served_otherwise=True)),
    Case("stub.unknown-member", BOTH, Truth()),
    Case("stub.unknown-block", BOTH, Truth()),
    Case("stub.empty", BOTH, Truth(text="")),
    Case("stub.huge", BOTH, Truth(text=FILLER * (HUGE // len(FILLER)))),
    Case("stub.too-huge", BOTH, Truth(text=FILLER * (TOO_HUGE // len(FILLER)))),
    Case("stub.delay.700", BOTH, Truth()),
]

REFUSED = [
    *(Case(f"stub.error.{name}", BOTH, failed(status, name, "unknown" if worked else "no")) for name, status, worked in ERRORS),
    # The same fact in the other places where AWS services put it.
    Case("stub.error-uri.ThrottlingException", BOTH, failed(429, "ThrottlingException")),
    Case("stub.error-body.ThrottlingException", BOTH, failed(429, "ThrottlingException")),
    Case("stub.error-unknown.BrandNewException", BOTH, failed(400, "BrandNewException")),
    Case("stub.error-html.503", BOTH, failed(503)),
    Case("stub.error-empty.500", BOTH, failed(500, charged="unknown")),
    Case("stub.retry-after.seconds", BOTH, failed(429, "ThrottlingException")),
    Case("stub.retry-after.date", BOTH, failed(429, "ThrottlingException")),
    *(Case(f"stub.redirect.{status}", BOTH, failed(status)) for status in (301, 302, 303, 307, 308)),
    Case("stub.flaky.0", BOTH, Truth()),
    Case("stub.flaky.50", BOTH, Truth(), varies=True),
    Case("stub.flaky.100", BOTH, failed(429, "ThrottlingException"), varies=True),
]

CONNECTIONS = [
    Case("stub.refused", BOTH, failed(None, end="cut"), unreachable=True),
    # The request was read whole before the line went dead.
    Case("stub.reset", BOTH, failed(None, charged="unknown", end="cut")),
    Case("stub.close", BOTH, failed(None, charged="unknown", end="cut")),
    Case("stub.reset-in-head", BOTH, failed(None, charged="unknown", end="cut")),
    Case("stub.stall", BOTH, failed(None, charged="unknown", end="stalled"), endless=True),
    Case("stub.stall-after-head", BOTH, failed(200, charged="unknown", end="stalled"), endless=True),
]

LIES = [
    Case("stub.lie.total", BOTH, Truth(usage=USAGE_WRONG_TOTAL, doubtful=True)),
    Case("stub.lie.cache-details", BOTH, Truth(usage=USAGE_WRONG_DETAILS, doubtful=True)),
    *(Case(f"stub.lie.{name}", BOTH, UNSAID) for name in BAD_USAGES),
    Case("stub.lie.no-usage", (CONVERSE,), UNSAID),
    Case("stub.lie.html", BOTH, NO_ANSWER),
    Case("stub.lie.empty-body", (CONVERSE,), NO_ANSWER),
    Case("stub.lie.not-an-object", (CONVERSE,), NO_ANSWER),
    Case("stub.lie.half-json", (CONVERSE,), NO_ANSWER),
    Case("stub.lie.no-output", (CONVERSE,), NO_ANSWER),
    Case("stub.lie.length", (CONVERSE,), failed(200, charged="unknown", end="cut")),
    Case("stub.lie.content-type", (CONVERSE,), Truth()),
]

STREAMS = [
    Case("stub.stream.text-only", (STREAM,), Truth()),
    # Not in the model, which knows starts of tools only.
    Case("stub.stream.block-start", (STREAM,), Truth()),
    Case("stub.stream.interleaved", (STREAM,), Truth(stop_reason="tool_use", text=ANSWER, tools=(TOOL, SECOND_TOOL))),
    Case("stub.stream.tool-pieces", (STREAM,), Truth(stop_reason="tool_use", text="", tools=(TOOL,))),
    Case("stub.stream.tool-cut", (STREAM,), broken_off("")),
    Case("stub.stream.tool-bad-json", (STREAM,), Truth(stop_reason="tool_use", text="")),
    Case("stub.stream.no-usage", (STREAM,), UNSAID),
    Case("stub.stream.no-metadata", (STREAM,), UNSAID),
    Case("stub.stream.metadata-first", (STREAM,), Truth()),
    Case("stub.stream.metadata-twice", (STREAM,), Truth()),
    Case("stub.stream.no-message-start", (STREAM,), Truth()),
    Case("stub.stream.no-message-stop", (STREAM,), broken_off(ANSWER)),
    Case("stub.stream.no-message-stop-but-metadata", (STREAM,), Truth(end="cut", stop_reason=None)),
    Case("stub.stream.no-block-stop", (STREAM,), Truth()),
    # Cleanly ended by HTTP, so that only the frames tell; `reset` also breaks the connection.
    Case("stub.stream.cut-in-frame", (STREAM,), broken_off(HALF)),
    Case("stub.stream.cut-under-guardrail", (STREAM,), replace(broken_off(HALF), guardrails=((GUARDRAIL, "unknown", "unknown"),)), route=GUARDED),
    Case("stub.stream.cut-between-frames", (STREAM,), broken_off(HALF)),
    Case("stub.stream.reset-in-frame", (STREAM,), broken_off(HALF)),
    Case("stub.stream.reset-between-frames", (STREAM,), broken_off(HALF)),
    Case("stub.stream.close-between-frames", (STREAM,), broken_off(HALF)),
    Case("stub.stream.bad-crc", (STREAM,), broken_off(HALF, "malformed")),
    Case("stub.stream.bad-prelude-crc", (STREAM,), broken_off(HALF, "malformed")),
    Case("stub.stream.garbage", (STREAM,), broken_off(HALF, "malformed")),
    Case("stub.stream.giant-frame", (STREAM,), broken_off(HALF, "malformed")),
    Case("stub.stream.not-json", (STREAM,), broken_off(HALF, "malformed")),
    Case("stub.stream.unknown-event", (STREAM,), Truth()),
    Case("stub.stream.unknown-member", (STREAM,), Truth()),
    Case("stub.stream.unknown-delta", (STREAM,), Truth()),
    *_exception_cases(),
    Case("stub.stream.unknown-exception", (STREAM,), broken_off(HALF, "exception", None, "brandNewException")),
    Case("stub.stream.error-message", (STREAM,), broken_off(HALF, "exception", None, "InternalFailure")),
    Case("stub.stream.empty", (STREAM,), Truth(text="")),
    Case("stub.stream.no-frames", (STREAM,), broken_off("")),
    Case("stub.stream.slow", (STREAM,), Truth()),
    Case("stub.stream.single-bytes", (STREAM,), Truth()),
    Case("stub.stream.one-write", (STREAM,), Truth()),
    Case("stub.stream.delayed", (STREAM,), Truth()),
    Case("stub.stream.stall", (STREAM,), broken_off(HALF, "stalled"), endless=True),
    Case("stub.stream.stall-after-stop", (STREAM,), UNSAID, endless=True),
]

CASES = [*WHOLE, *REFUSED, *CONNECTIONS, *LIES, *STREAMS]
BY_NAME = {case.name: case for case in CASES}
