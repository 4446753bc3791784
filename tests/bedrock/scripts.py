"""What the model says in each case, before it is written as one answer or as a stream."""

import base64
from dataclasses import dataclass, field, replace

import cases
from guardrail_trace import trace

CITATION = {
    "title": "Tracking", "sourceContent": [{"text": "left Rotterdam"}],
    "location": {"documentChar": {"documentIndex": 0, "start": 3, "end": 17}}}
MORE_MEMBERS = {"performanceConfig": {"latency": "standard"}, "serviceTier": {"type": "default"}}
ROUTER = {"promptRouter": {"invokedModelId": "arn:aws:bedrock:eu-central-1::foundation-model/stub.routed-v1"}}


@dataclass(frozen=True)
class Script:
    content: tuple = ({"text": cases.ANSWER},)
    stop_reason: str = "end_turn"
    usage: dict | None = field(default_factory=lambda: cases.USAGE)
    trace: dict | None = None
    fields: dict | None = None
    # Further members of the answer, or of a stream's metadata.
    more: dict = field(default_factory=dict)


def text(value):
    return Script(({"text": value},))


def tools(*calls, before=True):
    words = ({"text": cases.BEFORE_TOOL},) if before else ()
    return Script((*words, *({"toolUse": call} for call in calls)), "tool_use")


def usage(value):
    return Script(usage=value)


def of(name):
    """The script of a case; a plain answer where the case is about how it travels."""
    if name.startswith("stub.stop."):
        return _stopping(name.removeprefix("stub.stop.").replace("-", "_"))
    return SCRIPTS.get(name, Script())


def _stopping(reason):
    if reason == "tool_use":
        return tools(cases.TOOL)
    if reason == "guardrail_intervened":
        return replace(text(cases.BLOCKED_TEXT), stop_reason=reason)
    return Script(stop_reason=reason)


def _reasoning(block):
    return Script(({"reasoningContent": block}, {"text": cases.ANSWER}))


SCRIPTS = {
    "stub.unknown-stop": Script(stop_reason="pondering"),
    "stub.tools": tools(cases.TOOL),
    "stub.tools.only": tools(cases.TOOL, before=False),
    "stub.tools.two": tools(cases.TOOL, cases.SECOND_TOOL),
    "stub.tools.no-input": tools(cases.NO_INPUT_TOOL, before=False),
    "stub.reasoning": _reasoning({"reasoningText": {"text": cases.REASONING, "signature": cases.REASONING_SIGNATURE}}),
    "stub.reasoning.redacted": _reasoning({"redactedContent": base64.b64encode(cases.REDACTED).decode()}),
    "stub.citations": Script(({"citationsContent": {"content": [{"text": cases.ANSWER}], "citations": [CITATION]}},)),
    "stub.cache.read": usage(cases.USAGE_CACHE_READ),
    "stub.cache.write-5m": usage(cases.USAGE_CACHE_5M),
    "stub.cache.write-1h": usage(cases.USAGE_CACHE_1H),
    "stub.cache.all": usage(cases.USAGE_CACHE_ALL),
    "stub.cache.no-details": usage(cases.USAGE_CACHE_NO_DETAILS),
    "stub.guardrail.blocked": replace(text(cases.BLOCKED_TEXT), stop_reason="guardrail_intervened", trace=trace("BLOCKED")),
    "stub.guardrail.masked": replace(text(cases.MASKED_TEXT), stop_reason="guardrail_intervened", trace=trace("ANONYMIZED")),
    "stub.guardrail.detect-only": Script(trace=trace("NONE")),
    "stub.more-members": Script(more=MORE_MEMBERS, fields={"stop_sequence": None, "deep": [1, {"a": 2.5}]}, trace=ROUTER),
    "stub.unknown-member": Script(more={"brandNew": {"deep": [True]}}),
    "stub.unknown-block": Script(({"text": cases.ANSWER}, {"brandNewContent": {"anything": 1}})),
    "stub.empty": Script(()),
    "stub.huge": text(cases.FILLER * (cases.HUGE // len(cases.FILLER))),
    "stub.too-huge": text(cases.FILLER * (cases.TOO_HUGE // len(cases.FILLER))),
    "stub.lie.total": usage(cases.USAGE_WRONG_TOTAL),
    "stub.lie.cache-details": usage(cases.USAGE_WRONG_DETAILS),
    **{f"stub.lie.{name}": usage(value) for name, value in cases.BAD_USAGES.items()},
    "stub.lie.no-usage": usage(None),
    "stub.stream.interleaved": replace(tools(cases.TOOL, cases.SECOND_TOOL), content=(
        {"text": cases.ANSWER}, {"toolUse": cases.TOOL}, {"toolUse": cases.SECOND_TOOL})),
    "stub.stream.tool-pieces": tools(cases.TOOL, before=False),
    "stub.stream.tool-cut": tools(cases.TOOL, before=False),
    "stub.stream.tool-bad-json": tools(cases.TOOL, before=False),
    "stub.stream.empty": Script(()),
}
