"""What aimock wrote down of each request, beside what Custody recorded: statuses, faults made by chance, and the request itself."""

from dataclasses import replace

import fronts
from aimock_cases import NO_ANSWER, Truth, failed
from cases import CONVERSE
from custody_process import SYSTEM
from fronts import FRONTS, QUESTION

# What aimock's dice made of a request, by the word in its journal.
FAULTS = {
    None: Truth(), "drop": failed(500, charged="unknown"), "malformed": NO_ANSWER,
    "disconnect": failed(None, charged="unknown", end="cut"), "rateLimit": failed(429)}


def give(asked, stub):
    """Each question its entries, in the order of asking; and where aimock threw dice, the truth that they made."""
    journal = {question.case.name: stub.journal(question.case.name) for question in asked}
    for question in asked:
        question.entries = []
        if question.case.unlogged:
            continue
        question.entries = [journal[question.case.name].pop(0) for _ in range(question.received)]
        if question.case.varies and question.entries:
            *first, last = [FAULTS[entry["response"].get("chaosAction")] for entry in question.entries]
            question.case = replace(question.case, varies=False, first=tuple(first), truth=last)


def differences(question, rows):
    """Each attempt beside the entry of the request that it was."""
    found = []
    for place, (entry, attempt) in enumerate(zip(question.entries, rows["invocations"]), 1):
        for one in [*_of_request(question, entry), *_of_answer(question, entry["response"], attempt)]:
            found.append(f"attempt {place}: {one}")
    return found


def _of_answer(question, response, attempt):
    given = {response["status"] or None}
    # Status 0 is a connection broken before any head. The journal is written before the head is, and a head may stay behind.
    if response.get("interrupted") or question.case.truth.end == "stalled":
        given.add(None)
    if attempt["http_status"] not in given:
        yield f"HTTP status {attempt['http_status']}, aimock's journal has {given}"
    if attempt["provider_request_id"] is not None:
        yield f"a provider's request id {attempt['provider_request_id']}, and aimock sends none as AWS does"


def _of_request(question, entry):
    """What arrived is what was asked, under the workspace's prompt, signed; nothing else."""
    body = entry["body"]
    operation = "converse" if FRONTS[question.front] == CONVERSE else "converse-stream"
    if entry["path"] != f"/model/{question.case.name}/{operation}":
        yield f"aimock was asked at {entry['path']}"
    if body["messages"] != [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]:
        yield f"aimock received the messages {body['messages']}"
    if body.get("max_tokens") != fronts.MOST_TOKENS:
        yield f"aimock received max_tokens {body.get('max_tokens')}"
    tools = tuple(tool["function"]["name"] for tool in body.get("tools") or ())
    if tools != (fronts.TOOL_NAMES if fronts.has_tools(question.case) else ()):
        yield f"aimock received the tools {tools}"
    if "authorization" not in entry["headers"] or "x-amz-date" not in entry["headers"]:
        yield "aimock received an unsigned request"
