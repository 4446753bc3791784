"""Answers as data: a head, and the steps in which a body leaves. What is written to the wire, the server decides from these alone."""

import json
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from itertools import count
from time import time

import cases

REASONS = {status: HTTPStatus(status).phrase for status in (200, 301, 302, 303, 307, 308, 400, 403, 404, 408, 424, 429, 500, 503)}
EVENT_STREAM = "application/vnd.amazon.eventstream"
# Where a caller ends that follows redirects with its prompt in hand; nobody may be seen there.
REDIRECTED = "stub.redirected"
RETRY_SECONDS = 2
EXTRA_MEMBERS = {
    "ModelErrorException": {"originalStatusCode": 500, "resourceName": "arn:aws:bedrock:eu-central-1::foundation-model/stub.ok"},
    "ModelStreamErrorException": {"originalStatusCode": 502, "originalMessage": cases.UPSTREAM_MESSAGE},
}
# Coral services name the exception with the place of its definition; clients must cut it off.
CORAL = ":http://internal.amazon.com/coral/com.amazon.bedrock/"


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class End:
    """The connection ends here: `reset` (RST), `close` (FIN), or `stall`: nothing more comes until the caller leaves."""

    how: str


@dataclass
class Answer:
    """Steps are bytes, `Pause` and `End`. A `chunked` body tells each step's length and its own end; others have a stated length."""

    status: int = 200
    headers: list = field(default_factory=list)
    steps: list | tuple = ()
    chunked: bool = False
    stated_length: int | None = None
    # Steps before the head; an `End` here leaves no head at all.
    before: list = field(default_factory=list)
    # So many bytes of the head leave; all of it unless told.
    head_bytes: int | None = None

    @property
    def length(self):
        return self.stated_length if self.stated_length is not None else sum(len(step) for step in self.steps if isinstance(step, bytes))


def of_json(value, status=200, more=()):
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, [("Content-Type", "application/json"), *identity(), *more], [body])


def identity():
    return [("x-amzn-RequestId", str(uuid.uuid4()))]


def error(name, status, message, more_members=None, more=()):
    members = {"message": message, **(more_members or {})}
    return of_json(members, status, [("x-amzn-ErrorType", name), *more])


def of_html(status):
    page = b"<html><head><title>Service</title></head><body><h1>canary page of a load balancer</h1></body></html>"
    return Answer(status, [("Content-Type", "text/html")], [page])


class Refusals:
    """Answers that are no model's: errors by name, redirects, and those that come by chance."""

    def __init__(self, statuses, seed):
        self.statuses, self.seed, self.counts = statuses, seed, {}
        # Of a hundred requests for `stub.failing…`, until told otherwise.
        self.failing = 0

    def of(self, name, operation):
        """The refusal that a case asks for; nothing where it asks for none."""
        kind, _, rest = name.removeprefix("stub.").partition(".")
        if kind == "error":
            return self.named(rest) if rest in self.statuses else None
        if kind == "error-uri":
            return error(rest + CORAL, self.statuses[rest], cases.UPSTREAM_MESSAGE)
        if kind == "error-body":
            return of_json({"__type": f"com.amazon.bedrock#{rest}", "message": cases.UPSTREAM_MESSAGE}, self.statuses[rest])
        if kind == "error-unknown":
            return error(rest, 400, cases.UPSTREAM_MESSAGE)
        if kind == "error-html":
            return of_html(int(rest))
        if kind == "error-empty":
            return Answer(int(rest), identity())
        if kind == "retry-after":
            value = str(RETRY_SECONDS) if rest == "seconds" else formatdate(time() + RETRY_SECONDS, usegmt=True)
            return self.named("ThrottlingException", [("Retry-After", value)])
        if kind == "redirect":
            tail = "converse-stream" if operation == cases.STREAM else "converse"
            return Answer(int(rest), [("Location", f"/model/{REDIRECTED}/{tail}"), *identity()])
        if kind == "flaky":
            return self._by_chance(name, int(rest))
        if kind == "failing":
            return self._by_chance(name, self.failing)
        return None

    def named(self, name, more=()):
        return error(name, self.statuses[name], cases.UPSTREAM_MESSAGE, EXTRA_MEMBERS.get(name), more)

    def _by_chance(self, name, percent):
        """The n-th request for a model id always meets the same fate under the same seed."""
        number = next(self.counts.setdefault(name, count()))
        dice = uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed}/{name}/{number}").int
        if dice % 100 >= percent:
            return None
        return self.named(("ThrottlingException", "ServiceUnavailableException")[dice // 100 % 2])


def of_connection(name, operation):
    """Cases in which no answer comes to its end, whatever the operation."""
    how = {"stub.reset": "reset", "stub.close": "close", "stub.stall": "stall"}.get(name)
    if how:
        return Answer(before=[End(how)])
    if name == "stub.reset-in-head":
        return Answer(headers=[("Content-Type", "application/json"), *identity()], steps=[Pause(0.1), End("reset")], head_bytes=40)
    if name == "stub.stall-after-head":
        kind = EVENT_STREAM if operation == cases.STREAM else "application/json"
        return Answer(headers=[("Content-Type", kind), *identity()], steps=[End("stall")], chunked=True)
    return None


def converse(name, script):
    """One whole answer to Converse, and the ways in which it lies."""
    body = {
        "output": {"message": {"role": "assistant", "content": list(script.content)}},
        "stopReason": script.stop_reason, "metrics": {"latencyMs": 12}, **script.more}
    if script.usage is not None:
        body["usage"] = script.usage
    if script.trace is not None:
        body["trace"] = script.trace
    if script.fields is not None:
        body["additionalModelResponseFields"] = script.fields
    return _lie(name, body) or of_json(body)


def _lie(name, body):
    text = json.dumps(body).encode()
    head = [("Content-Type", "application/json"), *identity()]
    if name == "stub.lie.html":
        return of_html(200)
    if name == "stub.lie.empty-body":
        return Answer(200, head)
    if name == "stub.lie.not-an-object":
        return of_json([body])
    if name == "stub.lie.half-json":
        return Answer(200, head, [text[: len(text) // 2]])
    if name == "stub.lie.no-output":
        return of_json({key: value for key, value in body.items() if key != "output"})
    if name == "stub.lie.length":
        return Answer(200, head, [text, End("close")], stated_length=len(text) + 100)
    if name == "stub.lie.content-type":
        return Answer(200, [("Content-Type", "text/plain"), *identity()], [text])
    return None


def count_tokens(script):
    used = script.usage or cases.USAGE
    whole = sum(used.get(part, 0) for part in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"))
    return of_json({"inputTokens": whole})


def invoke_model(script):
    """In the form of Anthropic's models, where usage stands in the body and AWS's own counts in headers."""
    words = "".join(block.get("text", "") for block in script.content)
    used = script.usage or cases.USAGE
    body = {
        "type": "message", "role": "assistant", "content": [{"type": "text", "text": words}], "stop_reason": script.stop_reason,
        "usage": {"input_tokens": used["inputTokens"], "output_tokens": used["outputTokens"]}}
    return of_json(body, more=[
        ("X-Amzn-Bedrock-Input-Token-Count", str(used["inputTokens"])), ("X-Amzn-Bedrock-Output-Token-Count", str(used["outputTokens"])),
        ("X-Amzn-Bedrock-Invocation-Latency", "12")])
