"""The stock `openai` client against a running gateway: what a product service would do, and nothing more.

Reads CUSTODY_URL and CUSTODY_KEY. Exits 0 when all checks pass.
"""

import os
import sys

import openai

URL = os.environ["CUSTODY_URL"]
KEY = os.environ["CUSTODY_KEY"]
CLIENT = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]


def plain_answer():
    raw = CLIENT.chat.completions.with_raw_response.create(model="support.answer", messages=MESSAGES, max_tokens=64)
    answer = raw.parse()
    assert answer.object == "chat.completion" and answer.model == "support.answer", answer
    assert answer.choices[0].message.content, answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    for header in ("x-request-id", "x-custody-route", "x-custody-cost-usd", "x-custody-evidence", "x-custody-overhead-ms"):
        assert raw.headers.get(header), header


def streamed_answer():
    chunks = list(
        CLIENT.chat.completions.create(
            model="support.answer", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text, chunks
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0, chunks[-1]
    assert any(chunk.choices and chunk.choices[0].finish_reason == "stop" for chunk in chunks)


def structured_answer():
    answer = CLIENT.chat.completions.create(model="ticket.classify", messages=MESSAGES)
    assert answer.choices[0].message.content.startswith("{"), answer


def models_are_capabilities():
    names = {model.id for model in CLIENT.models.list()}
    assert {"support.answer", "docs.summarise"} <= names, names


def errors_have_their_classes():
    stranger = openai.OpenAI(base_url=f"{URL}/v1", api_key="ck_wrong_key", max_retries=0)
    for client, expected, arguments in [
        (stranger, openai.AuthenticationError, {"model": "support.answer", "messages": MESSAGES}),
        (CLIENT, openai.NotFoundError, {"model": "gpt-4o", "messages": MESSAGES}),
        (CLIENT, openai.BadRequestError, {"model": "support.answer", "messages": MESSAGES, "max_tokens": -1}),
        (CLIENT, openai.PermissionDeniedError, {"model": "support.answer", "messages": MESSAGES, "metadata": {"tenant": "globex"}}),
    ]:
        try:
            client.chat.completions.create(**arguments)
        except expected as error:
            assert error.code, error
            assert error.response.headers.get("x-request-id"), error
        else:
            raise AssertionError(f"{expected.__name__} was not raised for {arguments}")


def main():
    checks = [plain_answer, streamed_answer, structured_answer, models_are_capabilities, errors_have_their_classes]
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
    sys.exit(main())
