"""What aimock is told to play, and what whoever asks must find. Data only.

aimock (npm `@copilotkit/aimock`) imitates Bedrock's Converse and ConverseStream and was written without Custody in view. It answers by
fixtures: what to say for which model id, how fast, and how to fail. Where it is not like AWS (against the service model and
REFERENCE.md), a case's truth says what its bytes mean, not what AWS would have sent:

- errors have a status and a body without the exception's name, in neither header nor body; and no `x-amzn-RequestId` comes with any answer
- a text block begins with `contentBlockStart` whose `start` is empty, a block of reasoning with a member the model does not know
- deltas are cut between UTF-16 units, so that one character may be halved into two events, each no Unicode text
- usage is zeros unless a fixture says otherwise, and whatever a fixture says, sense or not
- a stream that it breaks off loses the frame last written; cache counts, guardrails and exceptions inside a stream it can't play
"""

from dataclasses import dataclass, field

import cases
from cases import BOTH, CONVERSE, NO_ANSWER, STREAM, UNSAID, Case, Truth, broken_off, failed

USAGE = {"prompt_tokens": cases.USAGE["inputTokens"], "completion_tokens": cases.USAGE["outputTokens"]}
NOTHING_USED = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
INPUT_ONLY = {"inputTokens": 21, "outputTokens": 0, "totalTokens": 21}
# Custody asks again where that can help; one failure and one answer for each of the four fronts.
FRONTS = 4
LONG = cases.FILLER * 1500


@dataclass(frozen=True)
class Played(Case):
    """`fixtures` in aimock's own form, without the model id. None: it knows nothing of this model."""

    fixtures: tuple = field(default=(), hash=False)
    # aimock's journal leaves out whom it had not answered yet when they left; only its meter counts them.
    unlogged: bool = False


def says(text=cases.ANSWER, usage=USAGE, more=None, **how):
    response = {"content": text, **(more or {})}
    return {"response": response | ({"usage": usage} if usage else {}), **how}


def calls(*tools, text=None, more=None, **how):
    found = [{"id": tool["toolUseId"], "name": tool["name"], "arguments": tool["input"]} for tool in tools]
    said = {"content": text} if text is not None else {}
    return {"response": {**said, "toolCalls": found, "usage": USAGE, **(more or {})}, **how}


def refuses(status, more=None):
    return {"response": {"error": {"message": cases.UPSTREAM_MESSAGE, "type": "ThrottlingException"}, "status": status, **(more or {})}}


def played(name, truth, *fixtures, operations=BOTH, **more):
    return Played(f"aimock.{name}", operations, truth, fixtures=fixtures, **more)


def _stop(name, reason):
    guardrails = ((None, "unknown", "unknown"),) if reason == "guardrail_intervened" else ()
    return played(f"stop.{name}", Truth(stop_reason=reason, guardrails=guardrails), says(more={"finishReason": name.replace("-", "_")}))


def _block(tool):
    return {"type": "toolCall", "id": tool["toolUseId"], "name": tool["name"], "arguments": tool["input"]}


def _blocks(*blocks):
    return {"response": {"blocks": [{"type": "text", "text": block} if isinstance(block, str) else _block(block) for block in blocks],
                         "usage": USAGE}}


def _by_chaos(**rates):
    return says(chaos=rates)


def _then_answers(name, failure, *first):
    """The failure once, then an answer, for each question anew."""
    turns = [failure, says()] * FRONTS
    return played(f"then.{name}", Truth(), *({**turn, "match": {"sequenceIndex": place}} for place, turn in enumerate(turns)), first=first)


WHOLE = [
    played("text", Truth(), says()),
    played("text.other-usage-names", Truth(), says(usage={"input_tokens": 21, "output_tokens": 9})),
    played("text.empty", Truth(text=""), says("")),
    played("text.long", Truth(text=LONG), says(LONG)),
    played("text.huge", Truth(text=cases.FILLER * (cases.HUGE // len(cases.FILLER))),
           says(cases.FILLER * (cases.HUGE // len(cases.FILLER)), chunkSize=4096)),
    played("text.too-huge", Truth(text=cases.FILLER * (cases.TOO_HUGE // len(cases.FILLER))),
           says(cases.FILLER * (cases.TOO_HUGE // len(cases.FILLER)), chunkSize=65536)),
    played("text.single-letters", Truth(text=cases.BEFORE_TOOL), says(cases.BEFORE_TOOL, chunkSize=1)),
    played("reasoning", Truth(), says(more={"reasoning": cases.REASONING})),
    _stop("stop", "end_turn"),
    _stop("length", "max_tokens"),
    *(_stop(reason.replace("_", "-"), reason) for reason in cases.STOP_REASONS if reason != "tool_use"),
    _stop("pondering", "pondering"),
    played("tool", Truth(stop_reason="tool_use", text="", tools=(cases.TOOL,)), calls(cases.TOOL)),
    played("tool.after-text", Truth(stop_reason="tool_use", text=cases.BEFORE_TOOL, tools=(cases.TOOL,)),
           calls(cases.TOOL, text=cases.BEFORE_TOOL)),
    played("tool.two", Truth(stop_reason="tool_use", text="", tools=(cases.TOOL, cases.SECOND_TOOL)), calls(cases.TOOL, cases.SECOND_TOOL)),
    played("tool.no-input", Truth(stop_reason="tool_use", text="", tools=(cases.NO_INPUT_TOOL,)), calls(cases.NO_INPUT_TOOL)),
    played("tool.before-text", Truth(stop_reason="tool_use", text=cases.BEFORE_TOOL, tools=(cases.TOOL, cases.SECOND_TOOL)),
           _blocks(cases.TOOL, cases.BEFORE_TOOL, cases.SECOND_TOOL)),
    played("tool.after-reasoning", Truth(stop_reason="tool_use", text="", tools=(cases.TOOL,)),
           calls(cases.TOOL, more={"reasoning": cases.REASONING})),
    played("tool.small-pieces", Truth(stop_reason="tool_use", text="", tools=(cases.TOOL,)), calls(cases.TOOL, chunkSize=3)),
    played("tool.but-stops-at-length", Truth(stop_reason="max_tokens", text="", tools=(cases.TOOL,)),
           calls(cases.TOOL, more={"finishReason": "length"})),
]

USAGES = [
    played("usage.zeros", Truth(usage=NOTHING_USED), says(usage=None)),
    played("usage.input-only", Truth(usage=INPUT_ONLY), says(usage={"prompt_tokens": 21})),
    played("usage.words", UNSAID, says(usage={"prompt_tokens": "21", "completion_tokens": "9"})),
    played("usage.negative", UNSAID, says(usage={"prompt_tokens": -21, "completion_tokens": 9})),
    played("usage.fraction", UNSAID, says(usage={"prompt_tokens": 21.5, "completion_tokens": 9})),
    played("usage.huge-number", UNSAID, says(usage={"prompt_tokens": 1 << 70, "completion_tokens": 9})),
]

REFUSED = [
    *(played(f"error.{status}", failed(status), refuses(status)) for status in (400, 401, 403, 404, 413, 422, 503)),
    *(played(f"error.{status}", failed(status, charged="unknown"), refuses(status)) for status in (408, 424, 500, 502, 504, 529)),
    played("error.429", failed(429), refuses(429)),
    played("error.429.in-three-seconds", failed(429), refuses(429, {"retryAfter": 3})),
    played("no-fixture", failed(404)),
    played("chaos.drop", failed(500, charged="unknown"), _by_chaos(dropRate=1)),
    played("chaos.rate-limit", failed(429), _by_chaos(rateLimitRate=1)),
    played("chaos.malformed", NO_ANSWER, _by_chaos(malformedRate=1)),
    played("chaos.disconnect", failed(None, charged="unknown", end="cut"), _by_chaos(disconnectRate=1)),
    *(played(f"chaos.any.{number}", Truth(), _by_chaos(dropRate=0.3, malformedRate=0.2, disconnectRate=0.3), varies=True)
      for number in range(5)),
]

RETRIED = [
    _then_answers("error.429", refuses(429, {"retryAfter": 0}), failed(429)),
    _then_answers("error.503", refuses(503), failed(503)),
    _then_answers("chaos.drop", _by_chaos(dropRate=1), failed(500, charged="unknown")),
    _then_answers("chaos.disconnect", _by_chaos(disconnectRate=1), failed(None, charged="unknown", end="cut")),
]

TIMES = [
    played("slow.start", Truth(), _by_chaos(latencyMs=700)),
    played("slow.start.beyond-patience", failed(None, charged="unknown", end="stalled"), _by_chaos(latencyMs=20000),
           operations=(CONVERSE,), endless=True, unlogged=True),
    played("slow.trickle", Truth(), says(chunkSize=2, latency=20), operations=(STREAM,)),
    played("slow.first-token", Truth(), says(streamingProfile={"ttft": 600, "tps": 200}), operations=(STREAM,)),
    # aimock sends no head before its first frame.
    played("slow.stall-at-start", failed(None, charged="unknown", end="stalled"), says(streamingProfile={"ttft": 20000, "tps": 200}),
           operations=(STREAM,), endless=True),
    played("slow.stall-after-start", broken_off("", "stalled"), says(streamingProfile={"ttft": 0, "tps": 0.05}),
           operations=(STREAM,), endless=True),
]

# Frames of ANSWER in pieces of eight: start of the message and of the block, nine of text, ends of block and message, metadata.
BROKEN = [
    played("cut.before-head", failed(None, charged="unknown", end="cut"), says(chunkSize=8, latency=20, truncateAfterChunks=1),
           operations=(STREAM,)),
    played("cut.before-text", broken_off(""), says(chunkSize=8, latency=20, truncateAfterChunks=3), operations=(STREAM,)),
    played("cut.in-text", broken_off(cases.ANSWER[:24]), says(chunkSize=8, latency=20, truncateAfterChunks=6), operations=(STREAM,)),
    played("cut.by-time", broken_off(cases.ANSWER[:8]), says(chunkSize=8, latency=100, disconnectAfterMs=450), operations=(STREAM,)),
    played("cut.in-tool", broken_off(""), calls(cases.TOOL, chunkSize=8, latency=20, truncateAfterChunks=5), operations=(STREAM,)),
    played("cut.before-stop", broken_off(cases.ANSWER), says(chunkSize=8, latency=20, truncateAfterChunks=13), operations=(STREAM,)),
    # The message has ended; only its usage is lost with the connection.
    played("cut.before-metadata", UNSAID, says(chunkSize=8, latency=20, truncateAfterChunks=14), operations=(STREAM,)),
    # Half a character is no JSON text that all parsers take: RFC 8259 leaves it open, and the AWS SDK for Rust refuses it.
    played("text.halved-character", broken_off(cases.ANSWER[:66], "malformed"), says(chunkSize=1), operations=(STREAM,)),
]

CASES = [*WHOLE, *USAGES, *REFUSED, *RETRIED, *TIMES, *BROKEN]
BY_NAME = {case.name: case for case in CASES}


def fixtures(played_cases):
    """The file that aimock reads."""
    found = []
    for case in played_cases:
        for fixture in case.fixtures:
            found.append({**fixture, "match": {"model": case.name, **fixture.get("match", {})}})
    return {"fixtures": found}
