"""A model that says back what it was told, wherever a provider may say anything: answers, tool calls, errors, ids, names, headers; as an
OpenAI-compatible server and as Bedrock's Converse. The model's name picks how: see MODES."""

import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

sys.path.append(str(Path(__file__).resolve().parent.parent / "bedrock"))
import framing  # noqa: E402

MODES = {
    "answer": "says it back",
    "tools": "calls a tool with it",
    "odd": "says it back, and in every name, id and reason beside the answer",
    "error": "refuses the request and quotes it",
    "later": "is out of order and quotes it",
    "garbage": "answers what is no answer, with it inside",
    "cut": "says it back, and breaks off in the middle",
    "fails": "says half of it, then reports an error that quotes it",
    "schema": "answers JSON that does not follow the schema",
}
# Who says this waits so many seconds for an answer.
SLOW, SLOW_SECONDS = "take your time", 5
WORD = re.compile(r"[A-Za-z]{48}")


class Echo:
    """Listens on a free port until closed."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        request = json.loads(body)
        said = "\n".join(strings(request))
        words = WORD.findall(said)
        self.word = words[-1] if words else "nothing"
        if SLOW in said:
            time.sleep(SLOW_SECONDS)
        path = unquote(self.path)
        if path.startswith("/model/"):
            _, _, model, operation = path.split("/", 3)
            answer = Converse(self, model, said, operation == "converse-stream")
        else:
            answer = Chat(self, request["model"], said, bool(request.get("stream")))
        getattr(answer, answer.mode, answer.answer)()

    def send(self, status, kind, data, whole=True):
        self.send_response(status)
        self.send_header("content-type", kind)
        for name in ("x-request-id", "x-amzn-requestid", "x-odd"):
            self.send_header(name, self.word)
        self.send_header("content-length", str(len(data) if whole else len(data) + 1000))
        self.end_headers()
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            # Whoever asked has left.
            self.close_connection = True
        if not whole:
            self.close_connection = True


class Chat:
    """OpenAI's chat completions."""

    def __init__(self, handler, model, said, stream):
        self.handler, self.said, self.stream = handler, said, stream
        self.mode, self.word = model.removeprefix("echo-"), handler.word

    def answer(self, **odd):
        message = {"role": "assistant", "content": f"You said: {self.said}"}
        self._finish(message, odd.pop("finish", "stop"), **odd)

    def tools(self):
        call = {"id": self.word, "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"for": self.said})}}
        self._finish({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")

    def odd(self):
        word = self.word
        self.answer(finish=word, id=word, model=word, system_fingerprint=word, service_tier=word, object=word)

    def schema(self):
        self._finish({"role": "assistant", "content": json.dumps({"wrong": self.said})}, "stop")

    def error(self):
        self._error(400)

    def later(self):
        self._error(503)

    def garbage(self):
        self.handler.send(200, "text/event-stream" if self.stream else "application/json", f'data: {{"choices": {self.said}\n\n'.encode())

    def cut(self):
        data = self._body({"role": "assistant", "content": self.said}, "stop")
        self.handler.send(200, self._kind(), data[:len(data) * 2 // 3], whole=False)

    def fails(self):
        if not self.stream:
            return self._error(500)
        first = self._chunk({"content": self.said}, None)
        self.handler.send(200, self._kind(), (first + f"data: {json.dumps(self._quoting())}\n\n").encode())

    def _quoting(self):
        return {"error": {"message": f"cannot take `{self.said}`", "type": self.word, "code": self.word, "param": self.said}}

    def _error(self, status):
        self.handler.send(status, "application/json", json.dumps(self._quoting()).encode())

    def _kind(self):
        return "text/event-stream" if self.stream else "application/json"

    def _finish(self, message, finish, **odd):
        self.handler.send(200, self._kind(), self._body(message, finish, **odd))

    def _body(self, message, finish, **odd):
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        if not self.stream:
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return json.dumps({"id": "echo", "object": "chat.completion", "created": 1, "model": "echo", "choices": [choice], "usage": usage, **odd}).encode()
        calls = [{"index": at, **call} for at, call in enumerate(message.pop("tool_calls", []))]
        delta = {**message, **({"tool_calls": calls} if calls else {})}
        last = {"id": "echo", "object": "chat.completion.chunk", "model": "echo", "choices": [], "usage": usage, **odd}
        return (self._chunk(delta, None, **odd) + self._chunk({}, finish, **odd) + f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n").encode()

    def _chunk(self, delta, finish, **odd):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({'id': 'echo', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'echo', 'choices': [choice], **odd})}\n\n"


class Converse:
    """Bedrock's Converse and ConverseStream."""

    def __init__(self, handler, model, said, stream):
        self.handler, self.said, self.stream = handler, said, stream
        self.mode, self.word = model.removeprefix("echo-"), handler.word

    def answer(self, stop="end_turn"):
        self._finish([{"text": f"You said: {self.said}"}], stop)

    def tools(self):
        self._finish([{"toolUse": {"toolUseId": "call-1", "name": "look_up", "input": {"for": self.said}}}], "tool_use")

    def odd(self):
        self.answer(stop=self.word)

    def schema(self):
        self._finish([{"text": json.dumps({"wrong": self.said})}], "end_turn")

    def error(self):
        self._error(400, "ValidationException")

    def later(self):
        self._error(503, "ServiceUnavailableException")

    def garbage(self):
        self.handler.send(200, self._kind(), f'{{"output": {self.said}'.encode())

    def cut(self):
        data = self._body([{"text": self.said}], "end_turn")
        self.handler.send(200, self._kind(), data[:len(data) * 2 // 3], whole=False)

    def fails(self):
        if not self.stream:
            return self._error(500, "InternalServerException")
        data = self._events([{"text": self.said}], "end_turn")[:2]
        quoting = framing.exception("modelStreamErrorException", json.dumps({"message": self.said, "originalMessage": self.said}).encode())
        self.handler.send(200, self._kind(), b"".join(data) + quoting)

    def _error(self, status, name):
        data = json.dumps({"message": f"cannot take `{self.said}`", "__type": name}).encode()
        self.handler.send(status, "application/json", data)

    def _kind(self):
        return "application/vnd.amazon.eventstream" if self.stream else "application/json"

    def _finish(self, content, stop):
        self.handler.send(200, self._kind(), self._body(content, stop))

    def _body(self, content, stop):
        if self.stream:
            return b"".join(self._events(content, stop))
        usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
        message = {"role": "assistant", "content": content}
        return json.dumps({"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 3}}).encode()

    def _events(self, content, stop):
        def event(name, value):
            return framing.event(name, json.dumps(value).encode())

        frames = [event("messageStart", {"role": "assistant"})]
        for at, block in enumerate(content):
            if "toolUse" in block:
                use = block["toolUse"]
                frames.append(event("contentBlockStart", {"contentBlockIndex": at, "start": {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}}))
                delta = {"toolUse": {"input": json.dumps(use["input"])}}
            else:
                delta = block
            frames.append(event("contentBlockDelta", {"contentBlockIndex": at, "delta": delta}))
            frames.append(event("contentBlockStop", {"contentBlockIndex": at}))
        frames.append(event("messageStop", {"stopReason": stop}))
        usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
        frames.append(event("metadata", {"usage": usage, "metrics": {"latencyMs": 3}}))
        return frames


def strings(value):
    """Every text anywhere in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from strings(one) if key not in ("model", "role", "type") else ()
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
