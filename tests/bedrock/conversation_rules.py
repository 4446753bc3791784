"""What Bedrock asks of a conversation beyond its service model: who speaks in which order, and which block may stand where.

The sentences are AWS's where they are known; clients must not read them.
"""

import json
import re

from service_model import Invalid

EFFORTS = ("", "low", "medium", "high", "xhigh", "max")
DOCUMENT_NAME = re.compile(r"[A-Za-z0-9\s\-()\[\]]+")
MOST_IMAGES, MOST_DOCUMENTS = 20, 5
# Which role may send a block. What is not listed may come from user and assistant alike.
ROLE_OF = {
    "toolUse": "assistant", "reasoningContent": "assistant", "citationsContent": "assistant",
    "toolResult": "user", "document": "user", "image": "user", "video": "user", "audio": "user",
    "guardContent": "user", "searchResult": "user", "toolAddition": "system", "toolRemoval": "system",
}
# A stored prompt brings these itself.
OF_THE_PROMPT = ("additionalModelRequestFields", "inferenceConfig", "system", "toolConfig")


def check(model_id, body):
    """Raises `Invalid` at the first rule that is broken."""
    messages = body.get("messages") or []
    if ":prompt/" in model_id:
        for name in OF_THE_PROMPT:
            if name in body:
                raise Invalid(f"The {name} field is not allowed when modelId is a prompt resource.")
    elif not messages:
        raise Invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
    for place, block in enumerate(body.get("system") or []):
        if "text" in block:
            _not_blank(block["text"], "SystemContentBlock", f"system.{place}")
    for place, message in enumerate(messages):
        _check_content(message, f"messages.{place}")
    _check_order([message for message in messages if message["role"] != "system"])
    _check_tool_turns(messages)
    _check_tools(body.get("toolConfig"), messages)
    _check_guardrail(body.get("guardrailConfig") or {})
    _check_output(body.get("outputConfig") or {})


def _check_content(message, path):
    role, content = message["role"], message["content"]
    if not content:
        raise Invalid(
            f"The content field in the Message object at {path} is empty. Add a ContentBlock object to the content field and try again.")
    kinds = [next(iter(block)) for block in content]
    for place, (kind, block) in enumerate(zip(kinds, content)):
        here = f"{path}.content.{place}"
        if role == "system" and ROLE_OF.get(kind) != "system" or role != ROLE_OF.get(kind, role):
            raise Invalid(f"The {kind} block at {here} is not allowed in a message of role {role}.")
        if kind == "text":
            _not_blank(block["text"], "ContentBlock", here)
        if kind == "document":
            _check_document_name(block["document"]["name"], here)
        if kind == "toolResult":
            _check_result(block["toolResult"], here)
    if kinds.count("image") > MOST_IMAGES or kinds.count("document") > MOST_DOCUMENTS:
        raise Invalid(f"The message at {path} has more than {MOST_IMAGES} images or {MOST_DOCUMENTS} documents.")
    names = [block["document"]["name"] for block in content if "document" in block]
    if names and "text" not in kinds:
        raise Invalid(f"The message at {path} has a document and no text. Include a text block beside it.")
    if len(set(names)) < len(names):
        raise Invalid(f"The documents of the message at {path} have the same name.")


def _not_blank(text, kind, path):
    if not text.strip():
        raise Invalid(f"The text field in the {kind} object at {path} is blank. Add text to the text field, and try again.")


def _check_document_name(name, path):
    if not DOCUMENT_NAME.fullmatch(name) or re.search(r"\s\s", name):
        raise Invalid(
            f"The document file name at {path} can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, "
            "and square brackets. The name can't contain more than one consecutive whitespace character.")


def _check_result(result, path):
    for place, block in enumerate(result["content"]):
        if "document" in block:
            _check_document_name(block["document"]["name"], f"{path}.toolResult.content.{place}")


def _check_order(messages):
    if messages and messages[0]["role"] != "user":
        raise Invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
    for before, after in zip(messages, messages[1:]):
        if before["role"] == after["role"]:
            role = after["role"]
            raise Invalid(f'messages: roles must alternate between "user" and "assistant", but found multiple "{role}" roles in a row')


def _check_tool_turns(messages):
    """Each use is answered in the very next message, and nothing else is."""
    asked = []
    for place, message in enumerate(messages):
        content = message["content"]
        # A tool that the service runs itself is not answered by the caller.
        answered = [block["toolResult"]["toolUseId"] for block in content if "toolResult" in block]
        if len(set(answered)) < len(answered) or set(answered) - set(asked):
            raise Invalid(
                f"The number of toolResult blocks at messages.{place}.content exceeds the number of toolUse blocks of previous turn, "
                "or names others.")
        if missing := [one for one in asked if one not in answered]:
            raise Invalid(f"Expected toolResult blocks at messages.{place}.content for the following Ids: {', '.join(missing)}")
        uses = [block["toolUse"] for block in content if "toolUse" in block]
        asked = [use["toolUseId"] for use in uses if use.get("type") != "server_tool_use"]
        if len(set(asked)) < len(asked):
            raise Invalid(f"The toolUse blocks at messages.{place}.content contain duplicate Ids.")
    if asked:
        raise Invalid(f"Expected toolResult blocks at messages.{len(messages)}.content for the following Ids: {', '.join(asked)}")


def _check_tools(config, messages):
    blocks = {kind for message in messages for block in message["content"] for kind in block}
    if config is None:
        if blocks & {"toolUse", "toolResult"}:
            raise Invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        return
    named = [next(iter(tool.values())).get("name") for tool in config["tools"] if "cachePoint" not in tool]
    if len(set(named)) < len(named):
        raise Invalid("The toolConfig field contains duplicate tool names.")
    for tool in config["tools"]:
        schema = tool.get("toolSpec", {}).get("inputSchema", {}).get("json", {"type": "object"})
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise Invalid("The value at toolConfig.tools.toolSpec.inputSchema.json.type must be one of the following: object.")
    wanted = (config.get("toolChoice") or {}).get("tool")
    if wanted and wanted["name"] not in named:
        raise Invalid("The tool of toolChoice is not among the tools.")


def _check_guardrail(config):
    if bool(config.get("guardrailIdentifier")) != bool(config.get("guardrailVersion")):
        raise Invalid("The guardrail identifier and the guardrail version must be given together.")


def _check_output(config):
    if config.get("effort", "") not in EFFORTS:
        raise Invalid(f"The value at outputConfig.effort must be one of: {', '.join(EFFORTS[1:])}.")
    schema = ((config.get("textFormat") or {}).get("structure") or {}).get("jsonSchema")
    if schema is None:
        return
    try:
        parsed = json.loads(schema["schema"])
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Invalid("The value at outputConfig.textFormat.structure.jsonSchema.schema is not a JSON schema.")
