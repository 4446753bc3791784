"""Each rule of a request has one that breaks it and nothing else, and the answer says where."""

import copy
import unittest

import conversation_rules
import places
import service_model
from harness import HELLO

TOOLS = {"tools": [{"toolSpec": {"name": "find", "inputSchema": {"json": {"type": "object"}}}}]}
USE = {"toolUse": {"toolUseId": "a1", "name": "find", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "a1", "content": [{"text": "found"}]}}
DOCUMENT = {"document": {"format": "txt", "name": "notes", "source": {"bytes": "aGVsbG8="}}}
PROMPT_ARN = "arn:aws:bedrock:eu-central-1:111122223333:prompt/ABCDEFGHIJ"


def said(role, *blocks):
    return {"role": role, "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def talk(*messages, **more):
    return {"messages": list(messages), **more}


def hello(**more):
    return {**copy.deepcopy(HELLO), **more}


TURNS = (said("user", "find it"), said("assistant", USE), said("user", RESULT))

# Requests that AWS takes.
ACCEPTED = {
    "plain": hello(),
    "everything": hello(
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        inferenceConfig={"maxTokens": 1, "temperature": 0, "topP": 1.0, "stopSequences": ["END"]},
        toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "find"}}},
        guardrailConfig={"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT", "trace": "enabled_full"},
        additionalModelRequestFields={"top_k": 5, "deep": [None]}, additionalModelResponseFieldPaths=["/stop_sequence"],
        requestMetadata={"request": "0b1c-7", "e": ""}, performanceConfig={"latency": "standard"}, serviceTier={"type": "flex"},
        outputConfig={"effort": "low", "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}}),
    "tools": talk(*TURNS, toolConfig=TOOLS),
    "text beside results": talk(*TURNS[:2], said("user", RESULT, "and now?"), toolConfig=TOOLS),
    "server's own tool": talk(
        said("user", "x"), said("assistant", {"toolUse": {**USE["toolUse"], "type": "server_tool_use"}}), said("user", "y"),
        toolConfig=TOOLS),
    "document": talk(said("user", "read", DOCUMENT)),
    "blank around text": talk(said("user", "  x  ")),
    "system message": talk(
        said("user", "x"), said("system", {"toolAddition": {"tool": {"name": "find"}}}), said("assistant", "y"), said("user", "z")),
}

# What the model says: the request, and what the message must hold.
AGAINST_THE_MODEL = {
    "unknown member": (hello(stream=True), "Unknown member at 'stream'"),
    "unknown deep member": (talk({**said("user", "x"), "name": "bob"}), "Unknown member at 'messages.1.member.name'"),
    "required": (talk({"role": "user"}), "'messages.1.member.content' failed to satisfy constraint: Member must not be null"),
    "required that is null": (talk({"role": None, "content": []}), "'messages.1.member.role' failed"),
    "enum": (talk({"role": "tool", "content": [{"text": "x"}]}), "Value 'tool' at 'messages.1.member.role'"),
    "type of a list": ({"messages": {}}, "at 'messages' failed to satisfy constraint: Member must be a list"),
    "type of a structure": ({"messages": ["x"]}, "at 'messages.1.member' failed to satisfy constraint: Member must be a structure"),
    "type of a string": (
        talk(said("user", {"text": 5})),
        "'messages.1.member.content.1.member.text' failed to satisfy constraint: Member must be a string"),
    "union with two": (talk(said("user", {"text": "x", "cachePoint": {"type": "default"}})), "exactly one of"),
    "union with none": (talk(said("user", {})), "exactly one of"),
    "union with a stranger": (talk(said("user", {"input_text": "x"})), "Unknown member at 'messages.1.member.content.1.member.input_text'"),
    "least length": (hello(system=[{"text": ""}]), "length greater than or equal to 1"),
    "most length": (hello(additionalModelResponseFieldPaths=["/x"] * 11), "length less than or equal to 10"),
    "least value": (hello(inferenceConfig={"maxTokens": 0}), "value greater than or equal to 1"),
    "most value": (hello(inferenceConfig={"temperature": 1.01}), "value less than or equal to 1"),
    "whole number": (hello(inferenceConfig={"maxTokens": 1.5}), "must be a whole number"),
    "boolean as number": (hello(inferenceConfig={"maxTokens": True}), "must be a whole number"),
    "pattern": (hello(toolConfig={"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}), "regular expression pattern"),
    "length of a tool's id": (
        talk(said("assistant", {"toolUse": {"toolUseId": "x" * 65, "name": "f", "input": {}}})),
        "length less than or equal to 64"),
    "base64": (talk(said("user", {"image": {"format": "png", "source": {"bytes": "%%%"}}})), "must be base64"),
    "bytes that are no text": (talk(said("user", {"image": {"format": "png", "source": {"bytes": 5}}})), "must be base64"),
    "type of a map": (hello(requestMetadata=["x"]), "at 'requestMetadata' failed to satisfy constraint: Member must be a map"),
    "type of a boolean": (
        hello(toolConfig={"tools": [{"toolSpec": {"name": "f", "strict": "yes", "inputSchema": {"json": {}}}}]}),
        "toolSpec.strict' failed to satisfy constraint: Member must be a boolean"),
    "empty bytes": (talk(said("user", {"image": {"format": "png", "source": {"bytes": ""}}})), "length greater than or equal to 1"),
    "key of metadata": (hello(requestMetadata={"ключ": "x"}), "at 'requestMetadata.ключ.key'"),
    "value of metadata": (hello(requestMetadata={"k": "a|b"}), "at 'requestMetadata.k.value'"),
    "length of metadata": (hello(requestMetadata={"k": "x" * 257}), "length less than or equal to 256"),
    "too much metadata": (hello(requestMetadata={str(n): "x" for n in range(17)}), "length less than or equal to 16"),
    "empty metadata": (hello(requestMetadata={}), "length greater than or equal to 1"),
    "guardrail's version": (
        hello(guardrailConfig={"guardrailIdentifier": "abc", "guardrailVersion": "latest"}),
        "guardrailConfig.guardrailVersion"),
    "mode of streams": (
        hello(guardrailConfig={"streamProcessingMode": "sync"}),
        "Unknown member at 'guardrailConfig.streamProcessingMode'"),
    "no object": ([], "not a JSON object"),
}

# What only AWS says.
AGAINST_THE_RULES = {
    "no messages": ({}, "must start with a user message"),
    "assistant first": (talk(said("assistant", "x")), "must start with a user message"),
    "two users in a row": (talk(said("user", "x"), said("user", "y")), "roles must alternate"),
    "two assistants in a row": (talk(said("user", "x"), said("assistant", "y"), said("assistant", "z")), "roles must alternate"),
    "no content": (talk({"role": "user", "content": []}), "messages.0 is empty"),
    "empty text": (talk(said("user", "")), "messages.0.content.0 is blank"),
    "blank text": (talk(said("user", "x"), said("assistant", "y", " \n")), "messages.1.content.1 is blank"),
    "blank system text": (hello(system=[{"text": " "}]), "system.0 is blank"),
    "use without result": (
        talk(said("user", "x"), said("assistant", USE), said("user", "y"), toolConfig=TOOLS),
        "Expected toolResult blocks at messages.2"),
    "use at the end": (talk(*TURNS[:2], toolConfig=TOOLS), "Expected toolResult blocks at messages.2"),
    "result for nothing": (talk(said("user", RESULT), toolConfig=TOOLS), "exceeds the number of toolUse blocks"),
    "result for another id": (
        talk(*TURNS[:2], said("user", {"toolResult": {"toolUseId": "b2", "content": []}}), toolConfig=TOOLS),
        "exceeds the number"),
    "result twice": (talk(*TURNS[:2], said("user", RESULT, RESULT), toolConfig=TOOLS), "exceeds the number"),
    "result too late": (talk(*TURNS, said("assistant", "so"), said("user", RESULT), toolConfig=TOOLS), "messages.4.content exceeds"),
    "same use twice": (talk(said("user", "x"), said("assistant", USE, USE), said("user", RESULT), toolConfig=TOOLS), "duplicate Ids"),
    "use by the user": (talk(said("user", USE), toolConfig=TOOLS), "not allowed in a message of role user"),
    "result by the assistant": (
        talk(said("user", "x"), said("assistant", RESULT), toolConfig=TOOLS),
        "not allowed in a message of role assistant"),
    "text by the system": (talk(said("user", "x"), said("system", "obey")), "not allowed in a message of role system"),
    "tools without configuration": (talk(*TURNS), "toolConfig field must be defined"),
    "same tool twice": (hello(toolConfig={"tools": TOOLS["tools"] * 2}), "duplicate tool names"),
    "choice of an unknown tool": (hello(toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "other"}}}), "not among the tools"),
    "schema that is no object": (
        hello(toolConfig={"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "array"}}}}]}),
        "one of the following: object"),
    "document without text": (talk(said("user", DOCUMENT)), "has a document and no text"),
    "document's name": (talk(said("user", "x", {"document": {**DOCUMENT["document"], "name": "a.txt"}})), "document file name"),
    "document's blanks": (talk(said("user", "x", {"document": {**DOCUMENT["document"], "name": "a  b"}})), "document file name"),
    "same document twice": (talk(said("user", "x", DOCUMENT, DOCUMENT)), "same name"),
    "six documents": (talk(said("user", "x", *({"document": {**DOCUMENT["document"], "name": f"n{n}"}} for n in range(6)))), "5 documents"),
    "half a guardrail": (hello(guardrailConfig={"guardrailIdentifier": "abc"}), "must be given together"),
    "effort": (hello(outputConfig={"effort": "extreme"}), "outputConfig.effort"),
    "schema that is no JSON": (
        hello(outputConfig={"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}}),
        "not a JSON schema"),
}


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = service_model.load(places.BEDROCK)

    def check(self, body, model_id="stub.ok", operation="Converse"):
        model = self.models[0]
        model.check_request(model.operations[operation], {"modelId": model_id}, {}, body)
        conversation_rules.check(model_id, body)

    def refused(self, cases, model_id="stub.ok"):
        for name, (body, message) in cases.items():
            with self.subTest(name), self.assertRaises(service_model.Invalid) as refused:
                self.check(body, model_id)
            self.assertIn(message, str(refused.exception), name)

    def test_what_aws_takes_is_accepted(self):
        for name, body in ACCEPTED.items():
            with self.subTest(name):
                self.check(body)

    def test_what_the_model_forbids_is_refused_with_its_path(self):
        self.refused(AGAINST_THE_MODEL)

    def test_what_only_the_service_forbids_passes_the_model_and_is_refused(self):
        for name, (body, _) in AGAINST_THE_RULES.items():
            with self.subTest(name):
                self.models[0].check_request(self.models[0].operations["Converse"], {"modelId": "stub.ok"}, {}, body)
        self.refused(AGAINST_THE_RULES)

    def test_all_violations_are_told(self):
        with self.assertRaises(service_model.Invalid) as refused:
            self.check(hello(a=1, inferenceConfig={"maxTokens": 0, "topP": 2}))
        self.assertIn("3 validation errors", str(refused.exception))

    def test_a_stored_prompt_brings_its_own_instructions(self):
        self.check({"promptVariables": {"name": {"text": "x"}}}, PROMPT_ARN)
        for name in ("system", "inferenceConfig", "toolConfig"):
            value = {"system": [{"text": "x"}], "inferenceConfig": {}, "toolConfig": TOOLS}[name]
            self.refused({name: ({name: value}, f"The {name} field is not allowed")}, PROMPT_ARN)

    def test_streams_have_a_mode_for_guardrails(self):
        config = {"guardrailIdentifier": "abc", "guardrailVersion": "1", "streamProcessingMode": "sync"}
        self.check(hello(guardrailConfig=config), operation="ConverseStream")

    def test_model_ids(self):
        for model_id in ("stub.ok", "eu.stub.stop.end-turn", "arn:aws:bedrock:eu-central-1::foundation-model/stub.ok", PROMPT_ARN,
                         "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/stub.ok"):
            with self.subTest(model_id):
                self.check(hello() if ":prompt/" not in model_id else {}, model_id)
        for model_id in ("stub ok", "stub.stop.end_turn", "stub/ok", "x" * 2049, ""):
            with self.subTest(model_id), self.assertRaises(service_model.Invalid):
                self.check(hello(), model_id)


if __name__ == "__main__":
    unittest.main()
