"""A case asked through each front of the gateway, and what the caller got, in one form."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import aws_client
import cases
from cases import CONVERSE, STREAM

# Prompts may be stored nowhere either.
QUESTION = "canary question: where is my parcel?"
OPENAI, OPENAI_STREAM, CONVERSE_FRONT, CONVERSE_STREAM_FRONT = "openai", "openai stream", "converse", "converse stream"
# What a front makes of a request to the provider.
FRONTS = {OPENAI: CONVERSE, OPENAI_STREAM: STREAM, CONVERSE_FRONT: CONVERSE, CONVERSE_STREAM_FRONT: STREAM}
MOST_TOKENS = 64
TOOL_NAMES = ("find_parcel", "find_sender", "list_parcels")
# The gateway's own patience is shorter, over all its attempts.
PATIENCE = 30


@dataclass
class Seen:
    """`end` is complete, error (instead of an answer), exception (inside a stream), cut, malformed or stalled."""

    status: int | None = None
    end: str = "cut"
    code: str | None = None
    finish: str | None = None
    text: str | None = None
    tools: tuple = ()
    usage: dict | None = None
    request_id: str | None = None
    # Everything, to look for what must not be there.
    raw: str = ""


def ask(front, url, key, capability, with_tools):
    if front in (OPENAI, OPENAI_STREAM):
        return _ask_openai(url, key, capability, front == OPENAI_STREAM, with_tools)
    return _ask_converse(url, key, capability, FRONTS[front], with_tools)


def _ask_openai(url, key, capability, stream, with_tools):
    body = {"model": capability, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": MOST_TOKENS, "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    if with_tools:
        schema = {"type": "object", "properties": {}}
        functions = [{"name": name, "description": "finds", "parameters": schema} for name in TOOL_NAMES]
        body["tools"] = [{"type": "function", "function": function} for function in functions]
    seen = Seen()
    text, connection = "", http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        seen.status, seen.request_id = answer.status, answer.headers.get("x-request-id")
        seen.raw = str(answer.headers)
        text = answer.read().decode(errors="replace")
    except http.client.IncompleteRead as cut:
        text = cut.partial.decode(errors="replace")
    except TimeoutError:
        seen.end = "stalled"
        return seen
    except (OSError, http.client.HTTPException):
        return seen
    finally:
        connection.close()
    seen.raw += text
    (_read_chunks if stream and text.lstrip().startswith("data:") else _read_completion)(seen, text)
    return seen


def _read_completion(seen, text):
    try:
        body = json.loads(text)
    except ValueError:
        seen.end = "malformed"
        return
    if "error" in body:
        seen.end, seen.code = "error", body["error"].get("code")
        return
    choice = body["choices"][0]
    seen.end, seen.finish, seen.usage = "complete", choice["finish_reason"], body.get("usage")
    seen.text = choice["message"].get("content") or ""
    seen.tools = tuple(_call(call) for call in choice["message"].get("tool_calls") or ())


def _read_chunks(seen, text):
    """Complete is only what ends with its end mark."""
    seen.text, calls = "", {}
    for line in text.split("\n\n"):
        data = line.removeprefix("data: ").strip()
        if data == "[DONE]":
            seen.end = "complete"
        elif data.startswith("{"):
            _read_chunk(seen, calls, json.loads(data))
    seen.tools = tuple(_call(call) for _, call in sorted(calls.items()))


def _read_chunk(seen, calls, chunk):
    if "error" in chunk:
        seen.end, seen.code = "exception", chunk["error"].get("code")
        return
    seen.usage = chunk.get("usage") or seen.usage
    for choice in chunk["choices"]:
        seen.finish = choice.get("finish_reason") or seen.finish
        seen.text += choice["delta"].get("content") or ""
        for piece in choice["delta"].get("tool_calls") or ():
            call = calls.setdefault(piece["index"], {"id": None, "function": {"name": None, "arguments": ""}})
            call["id"] = piece.get("id") or call["id"]
            call["function"]["name"] = piece["function"].get("name") or call["function"]["name"]
            call["function"]["arguments"] += piece["function"].get("arguments") or ""


def _call(call):
    """A call as Converse has it; input that is no JSON stays text."""
    try:
        arguments = json.loads(call["function"]["arguments"] or "{}")
    except ValueError:
        arguments = call["function"]["arguments"]
    return {"toolUseId": call["id"], "name": call["function"]["name"], "input": arguments}


def _ask_converse(url, key, capability, operation, with_tools):
    body = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}], "inferenceConfig": {"maxTokens": MOST_TOKENS}}
    if with_tools:
        schema = {"json": {"type": "object", "properties": {}}}
        body["toolConfig"] = {"tools": [{"toolSpec": {"name": name, "description": "finds", "inputSchema": schema}} for name in TOOL_NAMES]}
    found = aws_client.ask(aws_client.bearer_client(url, key, PATIENCE), operation, capability, body)
    shown = found.error.response if hasattr(found.error, "response") and isinstance(found.error.response, dict) else found.error
    return Seen(found.status, found.end, found.exception, found.stop_reason, found.text, found.tools, found.usage,
                raw=f"{found.text}{found.tools}{shown}")


def has_tools(case):
    return bool(case.truth.tools) or "tool" in case.name


def canaries():
    return (*cases.CANARIES, QUESTION)
