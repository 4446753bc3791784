"""What AWS's own client makes of an answer, in the words of cases.py."""

import json
from dataclasses import dataclass

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from botocore.eventstream import ParserError
from urllib3.exceptions import HTTPError

from cases import CONVERSE
from harness import ACCESS_KEY, SECRET_KEY

MOST_NUMBER = 2**63 - 1


@dataclass
class Found:
    """A `Truth` as it looks from outside; `error` is what was raised."""

    status: int | None = None
    end: str = "complete"
    exception: str | None = None
    stop_reason: str | None = None
    usage: dict | None = None
    text: str | None = None
    tools: tuple = ()
    error: Exception | None = None


def client(url, service="bedrock-runtime", read_timeout=10, **more):
    """No repetitions: each question is one request, so that counts can be compared."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout, connect_timeout=5, max_pool_connections=4)
    known = more or {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.client(service, endpoint_url=url, region_name="eu-central-1", config=config, **known)


def bearer_client(url, key, read_timeout=10):
    """A client that sends a bearer key. botocore does that by itself (AWS_BEARER_TOKEN_BEDROCK), but only to an https address."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=read_timeout, connect_timeout=5)
    unsigned = boto3.client("bedrock-runtime", endpoint_url=url, region_name="eu-central-1", config=config)

    def add_key(request, **_):
        request.headers["Authorization"] = f"Bearer {key}"

    unsigned.meta.events.register("before-sign.bedrock-runtime.*", add_key)
    return unsigned


def ask(runtime, operation, model_id, body):
    found = Found()
    try:
        if operation == CONVERSE:
            _read_answer(found, runtime.converse(modelId=model_id, **body))
        else:
            _read_stream(found, runtime.converse_stream(modelId=model_id, **body))
    except EventStreamError as error:
        found.end, found.exception, found.error = "exception", error.response["Error"]["Code"], error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        found.status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        # Where no code stands in the answer, botocore puts the status in its place.
        found.end, found.exception, found.error = "error", None if code.isdigit() else code, error
    except ReadTimeoutError as error:
        found.end, found.error = "stalled", error
    except (ParserError, ResponseParserError, TypeError, AttributeError) as error:
        found.end, found.error = "malformed", error
    except (BotoCoreError, HTTPError, OSError) as error:
        timed_out = "timed out" in str(error)
        found.end, found.error = "stalled" if timed_out else "cut", error
    return found


def reliable(usage):
    """The usage where it is one: three whole numbers that are none too many."""
    names = ("inputTokens", "outputTokens", "totalTokens")
    values = [(usage or {}).get(name) for name in names]
    sound = all(isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_NUMBER for value in values)
    return usage if sound else None


def _read_answer(found, answer):
    found.status = answer["ResponseMetadata"]["HTTPStatusCode"]
    message = answer.get("output", {}).get("message")
    if message is None:
        found.end = "malformed"
        return
    found.stop_reason, found.usage = answer.get("stopReason"), reliable(answer.get("usage"))
    found.text = "".join(_text_of(block) for block in message["content"])
    found.tools = tuple(block["toolUse"] for block in message["content"] if "toolUse" in block)


def _text_of(block):
    cited = block.get("citationsContent", {}).get("content", [])
    return block.get("text", "") + "".join(piece["text"] for piece in cited)


def _read_stream(found, answer):
    found.status, found.end = answer["ResponseMetadata"]["HTTPStatusCode"], "cut"
    if not answer["ResponseMetadata"]["HTTPHeaders"]["content-type"].startswith("application/vnd.amazon.eventstream"):
        found.end = "malformed"
        return
    found.text, calls = "", {}
    for event in answer["stream"]:
        _take(found, calls, event)
    # In the order of their blocks, not of their ends.
    found.tools = tuple(call for _, call in sorted(calls.items()) if isinstance(call["input"], dict))


def _take(found, calls, event):
    if "contentBlockStart" in event:
        start = event["contentBlockStart"]
        if call := start["start"].get("toolUse"):
            calls[start["contentBlockIndex"]] = {"toolUseId": call["toolUseId"], "name": call["name"], "input": ""}
    if "contentBlockDelta" in event:
        delta = event["contentBlockDelta"].get("delta", {})
        found.text += delta.get("text", "")
        if "toolUse" in delta:
            calls[event["contentBlockDelta"]["contentBlockIndex"]]["input"] += delta["toolUse"]["input"]
    if "contentBlockStop" in event:
        _finish_call(calls.get(event["contentBlockStop"]["contentBlockIndex"]))
    if "messageStop" in event:
        found.stop_reason, found.end = event["messageStop"]["stopReason"], "complete"
    if "metadata" in event:
        found.usage = reliable(event["metadata"].get("usage"))


def _finish_call(call):
    """Makes the text of a call's input what it says; a call without a whole input stays text."""
    if call is None:
        return
    try:
        call["input"] = json.loads(call["input"] or "{}")
    except ValueError:
        pass
