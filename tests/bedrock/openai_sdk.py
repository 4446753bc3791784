#!/usr/bin/env python3
"""The stock `openai` client through a real Custody to the Bedrock stub: tools and their results, images, structured answers, errors.

What the stub received is looked at too: the picture's own bytes, the tools, the schema. Fails on any difference.
"""

import argparse
import base64
import json
import shutil
import sys
import tempfile
from pathlib import Path

import cases
import openai
from custody_process import Custody, capability_of
from fronts import QUESTION
from harness import RunningStub

USED = ("stub.ok", "stub.tools", "stub.tools.two", "stub.error.ThrottlingException", "stub.error.ServiceUnavailableException",
        "stub.error.ValidationException", "stub.error.AccessDeniedException", "stub.error.ModelTimeoutException")
TOOLS = [{"type": "function", "function": {"name": name, "description": "finds", "parameters": {"type": "object", "properties": {}}}}
         for name in ("find_parcel", "find_sender", "list_parcels")]
# The smallest PNG: one pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
SCHEMA = {"type": "object", "properties": {"parcel": {"type": "string"}}, "required": ["parcel"], "additionalProperties": False}
ERRORS = {
    "stub.error.ThrottlingException": openai.RateLimitError, "stub.error.ServiceUnavailableException": openai.InternalServerError,
    "stub.error.ValidationException": openai.BadRequestError, "stub.error.AccessDeniedException": openai.InternalServerError,
    "stub.error.ModelTimeoutException": openai.InternalServerError,
}


class Checks:
    def __init__(self, custody, stub):
        self.client = openai.OpenAI(base_url=f"{custody.url}/v1", api_key=custody.key, max_retries=0)
        self.stub = stub

    def ask(self, name, content=QUESTION, before=(), **more):
        messages = [{"role": "user", "content": content}, *before]
        return self.client.chat.completions.create(model=capability_of(cases.BY_NAME[name]), messages=messages, max_tokens=64, **more)

    def last(self):
        return self.stub.report()["last"][-1]["body"]

    def tools_and_their_results(self):
        choice = self.ask("stub.tools.two", tools=TOOLS).choices[0]
        said = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]
        meant = [(tool["toolUseId"], tool["name"], tool["input"]) for tool in (cases.TOOL, cases.SECOND_TOOL)]
        same("tool calls", said, meant)
        same("finish", choice.finish_reason, "tool_calls")
        results = [{"role": "tool", "tool_call_id": call.id, "content": "on its way"} for call in choice.message.tool_calls]
        same("answer", self.ask("stub.ok", before=[choice.message, *results], tools=TOOLS).choices[0].message.content, cases.ANSWER)
        told = [block["toolResult"]["toolUseId"] for block in self.last()["messages"][-1]["content"]]
        same("results that the provider got", told, [one[0] for one in meant])

    def streamed_tools(self):
        with self.client.chat.completions.stream(
            model=capability_of(cases.BY_NAME["stub.tools"]), messages=[{"role": "user", "content": QUESTION}], tools=TOOLS,
            stream_options={"include_usage": True},
        ) as stream:
            whole = stream.get_final_completion()
        (call,) = whole.choices[0].message.tool_calls
        same("tool call", (call.id, call.function.name, json.loads(call.function.arguments)),
             (cases.TOOL["toolUseId"], cases.TOOL["name"], cases.TOOL["input"]))
        same("usage", (whole.usage.prompt_tokens, whole.usage.completion_tokens), (21, 9))

    def images(self):
        url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
        content = [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": {"url": url}}]
        same("answer", self.ask("stub.ok", content).choices[0].message.content, cases.ANSWER)
        (image,) = [block["image"] for block in self.last()["messages"][-1]["content"] if "image" in block]
        same("picture", (image["format"], base64.b64decode(image["source"]["bytes"])), ("png", PNG))

    def structured_answers(self):
        wanted = {"type": "json_schema", "json_schema": {"name": "parcel", "schema": SCHEMA, "strict": True}}
        self.ask("stub.ok", response_format=wanted)
        asked = self.last()["outputConfig"]["textFormat"]
        same("schema that the provider got", json.loads(asked["structure"]["jsonSchema"]["schema"]), SCHEMA)

    def errors(self):
        for name, expected in ERRORS.items():
            try:
                self.ask(name)
            except expected as error:
                same(f"{name}: code and request id", bool(error.code and error.response.headers.get("x-request-id")), True)
            else:
                raise AssertionError(f"{name}: no {expected.__name__}")


def same(what, one, other):
    if one != other:
        raise AssertionError(f"{what}: {one!r}, not {other!r}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options = options.parse_args()
    work, stub, failed = Path(tempfile.mkdtemp(prefix="custody-openai-")), RunningStub(), 0
    custody = Custody(options.binary, work, stub.url, [cases.BY_NAME[name] for name in USED])
    try:
        custody.start()
        checks = Checks(custody, stub)
        for check in (checks.tools_and_their_results, checks.streamed_tools, checks.images, checks.structured_answers, checks.errors):
            try:
                check()
                print(f"ok      {check.__name__}")
            except Exception as error:  # each check is reported, then the next is tried
                failed += 1
                print(f"FAILED  {check.__name__}: {type(error).__name__}: {error}")
        custody.stop()
    finally:
        stub.stop()
        if custody.process.poll() is None:
            custody.process.kill()
        shutil.rmtree(work)
    print(f"{5 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
