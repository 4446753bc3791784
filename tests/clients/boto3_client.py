"""The stock `boto3` client against a running gateway: what a service on Bedrock would do, with another endpoint and a key.

boto3 sends a bearer key over HTTPS only, so the gateway has a certificate; AWS_CA_BUNDLE names the file with its authority.
Reads CUSTODY_URL and CUSTODY_KEY. Exits 0 when all checks pass.
"""

import contextlib
import os
import sys

# Nothing of the machine's own AWS set-up may take part.
os.environ.update(
    AWS_BEARER_TOKEN_BEDROCK=os.environ["CUSTODY_KEY"],
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
)
os.environ.pop("AWS_PROFILE", None)

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

KEY_NAME = "AWS_BEARER_TOKEN_BEDROCK"
REPEATING = Config(retries={"mode": "standard", "total_max_attempts": 3})
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "simulated",
                "description": "Looks a parcel up.",
                "inputSchema": {"json": {"type": "object", "properties": {"simulated": {"type": "boolean"}}}},
            }
        }
    ]
}

URL = os.environ["CUSTODY_URL"]


def client(**more):
    return boto3.client("bedrock-runtime", endpoint_url=URL, region_name="eu-west-1", config=REPEATING, **more)


CLIENT = client()


@contextlib.contextmanager
def another_key(key):
    """A client is made and asks inside of it: boto3 looks for the key at both times."""
    ours = os.environ.pop(KEY_NAME)
    try:
        os.environ.update({KEY_NAME: key} if key else {})
        yield
    finally:
        os.environ[KEY_NAME] = ours


def user(text):
    return [{"role": "user", "content": [{"text": text}]}]


def plain_answer():
    answer = CLIENT.converse(
        modelId="support.answer",
        messages=user("simulate: input_tokens=100 cache_read_tokens=40 output_tokens=7"),
        system=[{"text": "Be kind."}],
        inferenceConfig={"maxTokens": 64, "temperature": 0.5, "stopSequences": ["###"]},
        requestMetadata={"team": "blue"},
    )
    assert answer["output"]["message"]["role"] == "assistant" and answer["output"]["message"]["content"][0]["text"], answer
    assert answer["stopReason"] == "end_turn" and answer["metrics"]["latencyMs"] >= 0, answer
    usage = answer["usage"]
    assert (usage["inputTokens"], usage["cacheReadInputTokens"], usage["outputTokens"], usage["totalTokens"]) == (60, 40, 7, 107), usage
    facts = answer["ResponseMetadata"]
    assert facts["RequestId"] == facts["HTTPHeaders"]["x-request-id"], facts
    for header in ("x-custody-route", "x-custody-cost-usd", "x-custody-evidence", "x-custody-overhead-ms"):
        assert facts["HTTPHeaders"].get(header), header


def streamed_answer():
    answer = CLIENT.converse_stream(modelId="support.answer", messages=user("simulate: input_tokens=50 output_tokens=40"))
    events = list(answer["stream"])
    names = [next(iter(event)) for event in events]
    assert names[0] == "messageStart" and names[-3:] == ["contentBlockStop", "messageStop", "metadata"], names
    text = "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)
    assert len(text.split()) > 10, text
    assert events[-2]["messageStop"]["stopReason"] == "end_turn", events[-2]
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 90, events[-1]


def tools_and_their_results():
    asked = user("simulate: tool_call=1")
    answer = CLIENT.converse(modelId="support.answer", messages=asked, toolConfig=TOOLS)
    assert answer["stopReason"] == "tool_use", answer
    said = answer["output"]["message"]
    call = next(block["toolUse"] for block in said["content"] if "toolUse" in block)
    assert call["name"] == "simulated" and call["input"] == {"simulated": True}, call
    result = {"toolUseId": call["toolUseId"], "content": [{"json": {"where": "at the door"}}], "status": "success"}
    more = [said, {"role": "user", "content": [{"toolResult": result}, {"text": "And now?"}]}]
    answer = CLIENT.converse(modelId="support.answer", messages=asked + more, toolConfig=TOOLS)
    assert answer["stopReason"] == "end_turn", answer


def streamed_tools():
    answer = CLIENT.converse_stream(modelId="support.answer", messages=user("simulate: tool_call=1"), toolConfig=TOOLS)
    events = list(answer["stream"])
    start = next(event["contentBlockStart"] for event in events if "contentBlockStart" in event)
    assert start["start"]["toolUse"]["name"] == "simulated", start
    pieces = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(piece["toolUse"]["input"] for piece in pieces if "toolUse" in piece) == '{"simulated":true}', pieces


def structured_answer():
    answer = CLIENT.converse(modelId="ticket.classify", messages=user("My invoice is wrong"))
    assert answer["output"]["message"]["content"][0]["text"].startswith("{"), answer


def raised(expected, code, ask):
    """Asks, and gives back how often boto3 repeated what it was refused."""
    try:
        ask()
    except expected as error:
        answer = error.response
        assert answer["Error"]["Message"].endswith(f"({code})"), answer
        facts = answer["ResponseMetadata"]
        assert facts["HTTPHeaders"]["x-custody-code"] == code, facts
        assert os.environ["CUSTODY_KEY"] not in str(answer)
        return facts["RetryAttempts"]
    raise AssertionError(f"{expected.__name__} was not raised for {code}")


def errors_have_their_classes():
    kinds = CLIENT.exceptions
    for expected, code, arguments in [
        (kinds.ResourceNotFoundException, "unknown_capability", {"modelId": "anthropic.claude-v2:1"}),
        (kinds.ResourceNotFoundException, "unknown_capability", {"modelId": "arn:aws:bedrock:eu-west-1::foundation-model/x.y"}),
        (kinds.ValidationException, "out_of_range", {"inferenceConfig": {"temperature": 9}}),
        (kinds.ValidationException, "unsupported_field", {"additionalModelRequestFields": {"top_k": 5}}),
        (kinds.ModelErrorException, "upstream_rejected", {"messages": user("simulate: status=400")}),
    ]:
        asked = {"modelId": "support.answer", "messages": user("hello"), **arguments}
        assert raised(expected, code, lambda: CLIENT.converse(**asked)) == 0, code
        assert raised(expected, code, lambda: CLIENT.converse_stream(**asked)) == 0, code


def what_policy_refuses_is_never_repeated():
    denied = CLIENT.exceptions.AccessDeniedException
    asked = {"modelId": "support.answer", "messages": user("hello")}
    other = {**asked, "requestMetadata": {"tenant": "globex"}}
    assert raised(denied, "tenant_mismatch", lambda: CLIENT.converse(**other)) == 0
    with another_key("ck_wrong_key"):
        stranger = client()
        denied = stranger.exceptions.AccessDeniedException
        assert raised(denied, "invalid_api_key", lambda: stranger.converse(**asked)) == 0


def a_signed_request_is_told_what_to_send():
    asked = {"modelId": "support.answer", "messages": user("hello")}
    with another_key(None):
        signer = client(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
        assert raised(signer.exceptions.AccessDeniedException, "signed_request", lambda: signer.converse(**asked)) == 0


def what_may_pass_is_repeated():
    kinds = CLIENT.exceptions
    for expected, code, directive in [
        (kinds.ThrottlingException, "upstream_throttled", "status=429"),
        (kinds.ServiceUnavailableException, "upstream_unavailable", "status=503"),
    ]:
        asked = {"modelId": "support.answer", "messages": user(f"simulate: {directive}")}
        assert raised(expected, code, lambda: CLIENT.converse(**asked)) == 2, code


def a_stream_that_breaks_raises():
    answer = CLIENT.converse_stream(modelId="support.answer", messages=user("simulate: output_tokens=80 cut_after=3"))
    try:
        list(answer["stream"])
    except EventStreamError as error:
        assert error.response["Error"]["Code"] == "modelStreamErrorException", error.response
        assert error.response["Error"]["Message"].endswith("(upstream_cut)"), error.response
    else:
        raise AssertionError("the stream ended as if it were whole")


def other_operations_are_not_served():
    try:
        CLIENT.invoke_model(modelId="support.answer", body=b"{}")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException", error.response
    else:
        raise AssertionError("InvokeModel was served")


def run():
    checks = [
        plain_answer,
        streamed_answer,
        tools_and_their_results,
        streamed_tools,
        structured_answer,
        errors_have_their_classes,
        what_policy_refuses_is_never_repeated,
        a_signed_request_is_told_what_to_send,
        what_may_pass_is_repeated,
        a_stream_that_breaks_raises,
        other_operations_are_not_served,
    ]
    failed = 0
    for check in checks:
        try:
            check()
            print(f"ok      {check.__name__}")
        except Exception as error:  # each check is reported, then the next is tried
            failed += 1
            print(f"FAILED  {check.__name__}: {type(error).__name__}: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run())
