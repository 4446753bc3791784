"""What a third stub plays, and what whoever asks must find. Data only.

MiniStack (PyPI `ministack`) imitates AWS, Bedrock among it, and was written without Custody in view. It has no faults to inject, but
what aimock has not: streams in AWS's own order of events, errors by AWS's names, request ids, and guardrails that look at the text. What
the model says, it asks an OpenAI-compatible server; that server is aimock here, with the fixtures below. Where it is not like AWS:

- an answer that a guardrail masked ends with `end_turn`, and streams have no trace
- a stop other than a tool's is told as `end_turn`, whatever the model said; cache counts it has none
- without a model behind it, it answers with a mock and counts four letters as a token
"""

import hashlib
from dataclasses import replace

import cases
from aimock_cases import Played, calls, says
from cases import BOTH, Truth, failed
from custody_process import SYSTEM
from fronts import QUESTION

NOBODY = "gr-nobody"
# Of each guardrail: what it is made of, as its API takes it.
GUARDRAILS = {
    "input": {"wordPolicyConfig": {"wordsConfig": [{"text": "parcel", "outputEnabled": False}]}},
    "output": {"wordPolicyConfig": {"wordsConfig": [{"text": cases.MATCHES["word"], "inputEnabled": False}]}},
    "mask": {"sensitiveInformationPolicyConfig": {"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]}},
}
BAD_CALL = {"toolUseId": "tooluse_stub.4", "name": "find_parcel", "input": '{"number": '}


def played(name, truth, *fixtures, guardrail=None):
    """Its `route` is a guardrail's name until the guardrails are made."""
    # What its guardrails tell differs from plain answers to streams: third_stub.py judges it.
    truth = replace(truth, guardrails=None) if guardrail else truth
    return Played(f"mini.{name}", BOTH, truth, fixtures=fixtures, route=guardrail or "")


def _tokens(text):
    return max(1, len(text) // 4) if text else 0


def _counted(text):
    """What MiniStack counts where no model did."""
    asked, said = _tokens(SYSTEM + QUESTION), _tokens(text)
    return {"inputTokens": asked, "outputTokens": said, "totalTokens": asked + said}


def _mock():
    digest = hashlib.sha256(f"{SYSTEM}\n{QUESTION}".encode()).hexdigest()[:8]
    text = f"[ministack mock generic mini.mock] reply for prompt#{digest}"
    return played("mock", Truth(text=text, usage=_counted(text)))


CASES = [
    played("text", Truth(), says()),
    played("text.long", Truth(text=cases.FILLER * 1500), says(cases.FILLER * 1500)),
    played("text.empty", Truth(text=""), says("")),
    _mock(),
    played("tool", Truth(stop_reason="tool_use", text="", tools=(cases.TOOL,)), calls(cases.TOOL)),
    played("tool.after-text", Truth(stop_reason="tool_use", text=cases.BEFORE_TOOL, tools=(cases.TOOL,)),
           calls(cases.TOOL, text=cases.BEFORE_TOOL)),
    played("tool.two", Truth(stop_reason="tool_use", text="", tools=(cases.TOOL, cases.SECOND_TOOL)), calls(cases.TOOL, cases.SECOND_TOOL)),
    played("tool.no-input", Truth(stop_reason="tool_use", text="", tools=(cases.NO_INPUT_TOOL,)), calls(cases.NO_INPUT_TOOL)),
    played("tool.bad-input", Truth(stop_reason="malformed_tool_use", text=""), calls(BAD_CALL)),
    played("guardrail.input", Truth(stop_reason="guardrail_intervened", text=cases.BLOCKED_TEXT, usage=_counted(cases.BLOCKED_TEXT)),
           says(), guardrail="input"),
    played("guardrail.output", Truth(stop_reason="guardrail_intervened", text=cases.BLOCKED_TEXT),
           says(f"{cases.ANSWER} {cases.MATCHES['word']}"), guardrail="output"),
    played("guardrail.output.nothing-found", Truth(), says(), guardrail="output"),
    played("guardrail.mask", Truth(text=cases.MASKED_TEXT), says(f"Write to {cases.MATCHES['email']}."), guardrail="mask"),
    played("guardrail.unknown", failed(404, "ResourceNotFoundException"), says(), guardrail=NOBODY),
]


def under(guardrails):
    """The cases with the ids that MiniStack gave to its guardrails."""
    ids = {"": None, NOBODY: NOBODY, **guardrails}
    keys = {name: f'guardrail_id = "{place}"\nguardrail_version = "DRAFT"\n' if place else "" for name, place in ids.items()}
    return [replace(case, route=keys[case.route]) for case in CASES]
