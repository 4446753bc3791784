"""Every way by which a text can come into Custody: each is taken with a canary of its own, and with rows of the public data."""

import http.client
import json
import socket
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from governed import FREE, KEPT, capabilities

CALLERS = 6
ROWS_IN_A_PROMPT = 30


class Ways:
    """Sends, and keeps what it was answered: to the caller itself, and to others who asked."""

    def __init__(self, address, keys, canaries):
        self.host, self.port = address.split(":")
        self.keys, self.canaries = keys, canaries
        self.statuses, self.failures, self.others = {}, [], []
        # Conversations that must be answered and were not: a text that was refused at the door proves nothing of what lies behind.
        self.unanswered = []
        # Of any request that was answered: feedback may be about each of them.
        self.last_id = None

    def all(self, rows):
        """Everything; `rows` are name, text and values of the public data."""
        tasks = [*self.conversations(), *self.public(list(rows)), *self.headers(), *self.paths(), *self.bodies(), *self.feedback()]
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(lambda task: task(), tasks))
        self.raw()
        self.left_in_the_middle()
        return len(tasks)

    def conversations(self):
        """Both fronts, whole and in pieces, to every way of answering of every provider, with and without capture."""
        for name, provider, mode in capabilities():
            for front, make in (("chat", chat), ("converse", converse)):
                given = {part: self.canaries.text(f"{part}, {front} front to {name}") for part in PARTS}
                given |= {part: self.canaries.word(f"{part}, {front} front to {name}") for part in WORDS}
                if mode == "defect":
                    given["prompt"] = f"simulate: defect=1\n{given['prompt']}"
                for stream in (False, True):
                    yield lambda make=make, name=name, given=given, stream=stream, mode=mode: self.converse(mode, make(name, given, stream))

    def converse(self, mode, request):
        status, _ = self.post(*request)
        if mode in ("answer", "tools") and status != 200:
            self.unanswered.append(f"{request[0]} {request[1].get('model', '')}{', streamed' if request[1].get('stream') else ''}: {status}")

    def public(self, rows):
        """Texts as prompts, many in one; each long value as user, as tags and as a tool's argument."""
        texts = [text for _, text, _ in rows]
        for at in range(0, len(texts), ROWS_IN_A_PROMPT):
            for keeping in (KEPT, FREE):
                given = {"prompt": "\n".join(texts[at:at + ROWS_IN_A_PROMPT])}
                yield lambda given=given, keeping=keeping: self.post(*chat(f"chat.answer.{keeping}", given, False))
        # One plain word of letters may be a label, and stands as one.
        values = sorted({value for _, _, values in rows for value in values if not value.isalpha()})
        for at in range(0, len(values), 8):
            some = dict(zip(["user", "tag", "other tag", "argument", "result", "tool", "error", "prompt"], values[at:at + 8], strict=False))
            mode = ("tools", "error", "odd", "fails")[at // 8 % 4]
            yield lambda some=some, mode=mode: self.post(*chat(f"chat.{mode}.{KEPT}", some, False))

    def feedback(self):
        """What users say of answers, taken and refused."""
        for keeping in (KEPT, FREE):
            name = f"chat.answer.{keeping}"
            new = {part: self.canaries.text(f"feedback's {part}, {keeping}") for part in ("comment", "user", "reason", "field", "id", "model")}
            good = {"model": name, "user": new["user"], "rating": "down", "comment": new["comment"]}
            for change in ({}, {"reasons": ["wrong"]}, {"reasons": [new["reason"]]}, {new["field"]: 1}, {"request_id": new["id"]}, {"model": new["model"]},
                           {"rating": new["comment"]}):
                yield lambda name=name, good=good, change=change: self._say(name, {**good, **change})

    def _say(self, name, feedback):
        asked = {"content-type": "application/json", "authorization": f"Bearer {self.keys['acme']}"}
        self.send("POST", "/v1/chat/completions", json.dumps(chat_body(name)).encode(), asked)
        self.post("/v1/feedback", {"request_id": self.last_id, **feedback})

    def headers(self):
        for name in ("x-client-request-id", "x-request-id", "amz-sdk-invocation-id", "traceparent", "tracestate", "baggage", "user-agent", "cookie",
                     "referer", "x-custody-tenant", "x-tenant-id", "accept", "content-encoding", "x-anything"):
            word = self.canaries.word(f"header {name}")
            yield lambda name=name, word=word: self.post("/v1/chat/completions", chat_body(f"chat.answer.{KEPT}"), {name: word})
        word = self.canaries.word("content type")
        yield lambda: self.post("/v1/chat/completions", chat_body(f"chat.answer.{KEPT}"), {"content-type": f"text/{word}"})
        for name, scheme in (("a key that is none", "Bearer {}"), ("a key of the right form", "Bearer ck_abcdefgh_{}"), ("another scheme", "Basic {}"),
                             ("a signature", "AWS4-HMAC-SHA256 Credential={}/20261121/eu/bedrock/aws4_request")):
            word = self.canaries.word(name)
            yield lambda scheme=scheme, word=word: self.post("/v1/chat/completions", chat_body("any"), {"authorization": scheme.format(word)})

    def paths(self):
        for name, path in (("path", "/{}"), ("path below", "/v1/chat/completions/{}"), ("query", "/v1/chat/completions?q={}"), ("query of figures", "/metrics?q={}"),
                           ("model in a path", "/model/{}/converse"), ("operation in a path", "/model/x/{}"), ("fragment", "/v1/models#{}")):
            word = self.canaries.word(name)
            for method in ("POST", "GET", "DELETE"):
                yield lambda path=path, word=word, method=method: self.send(method, path.format(word), b"{}", self._head({}))
        text = urllib.parse.quote(self.canaries.text("encoded path"))
        yield lambda: self.post(f"/model/{text}/converse", {"messages": []})

    def bodies(self):
        """Bodies that are refused: each quotes a canary in the place of the mistake."""
        new = self.canaries.text
        good = {"role": "user", "content": new("before a mistake")}
        shapes = {
            "unknown model": {"model": new("unknown model"), "messages": [good]},
            "narrow model": {"model": self.canaries.word("narrow model"), "messages": [good]},
            "role": {"model": f"chat.answer.{KEPT}", "messages": [{"role": new("role"), "content": "x"}]},
            "unknown field": {"model": f"chat.answer.{KEPT}", "messages": [good], new("unknown field"): 1},
            "messages": {"model": f"chat.answer.{KEPT}", "messages": new("messages")},
            "number": {"model": f"chat.answer.{KEPT}", "messages": [good], "temperature": new("number")},
            "stop": {"model": f"chat.answer.{KEPT}", "messages": [good], "stop": [new("stop"), 7]},
            "tool choice": {"model": f"chat.answer.{KEPT}", "messages": [good], "tool_choice": {"type": new("tool choice")}},
            "schema": {"model": f"chat.answer.{KEPT}", "messages": [good], "response_format": {"type": "json_schema", "json_schema": {"name": new("schema")}}},
            "image": {"model": f"chat.answer.{KEPT}", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": new("image")}}]}]},
            "tag key": {"model": f"chat.answer.{KEPT}", "messages": [good], "metadata": {self.canaries.word("tag key"): "x"}},
            "tier": {"model": f"chat.answer.{KEPT}", "messages": [good], "service_tier": new("tier")},
        }
        for body in shapes.values():
            yield lambda body=body: self.post("/v1/chat/completions", body)
            yield lambda body=body: self.post(f"/model/chat.answer.{KEPT}/converse", body)
        for name, data in (("cut JSON", '{{"model": "{}'), ("no JSON", "{}"), ("trailing", '{{}} {}'), ("deep", "[" * 300 + '"{}"'), ("key twice", '{{"{0}":1,"{0}":2}}')):
            data = data.format(self.canaries.word(name)).encode()
            yield lambda data=data: self.send("POST", "/v1/chat/completions", data, self._head({}))
        broken = self.canaries.word("no UTF-8").encode()
        yield lambda: self.send("POST", "/v1/chat/completions", b'{"model": "\xff\xfe' + broken + b'"}', self._head({}))
        large = (self.canaries.word("too large") + " ").encode() * 200_000
        yield lambda: self.send("POST", "/v1/chat/completions", b'{"model": "' + large + b'"}', self._head({}))

    def raw(self):
        """What is no HTTP at all."""
        for name, data in (("no HTTP", "{}\r\n\r\n"), ("method", "{} / HTTP/1.1\r\nhost: x\r\n\r\n"), ("version", "GET / {}\r\n\r\n"),
                           ("header name", "GET /v1/models HTTP/1.1\r\nhost: x\r\n{}: 1\r\n\r\n"), ("bad header", "GET / HTTP/1.1\r\n{}\r\n\r\n"),
                           ("host", "GET /v1/models HTTP/1.1\r\nhost: {}\r\n\r\n"), ("chunk", "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{}\r\n")):
            self.failures.append(self._raw(data.format(self.canaries.word(f"raw, {name}")).encode()))

    def left_in_the_middle(self):
        """Callers that go away: in the middle of their body, and in the middle of the answer."""
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.keys['acme']}\r\ncontent-type: application/json\r\n"
        body = self.canaries.word("body cut by its caller")
        self._raw(f'{head}content-length: 9999\r\n\r\n{{"model": "{body}'.encode(), wait=0.2)
        for keeping in (KEPT, FREE):
            given = {"prompt": self.canaries.text(f"answer left, {keeping}")}
            data = json.dumps(chat_body(f"chat.answer.{keeping}", given, True)).encode()
            # What comes back is its own answer.
            self._raw(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data, wait=0.05)

    def post(self, path, body, headers=None):
        return self.send("POST", path, json.dumps(body).encode(), self._head(headers or {}))

    def send(self, method, path, data, headers):
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=60)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {**headers, "content-length": str(len(data))}.items():
                connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            text = answer.read()
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            self.last_id = answer.getheader("x-request-id") or self.last_id
            if answer.status >= 400:
                self.failures.append(str(answer.getheaders()).encode() + text)
            return answer.status, text
        except (OSError, http.client.HTTPException, ValueError) as error:
            kind = type(error).__name__
            self.statuses[kind] = self.statuses.get(kind, 0) + 1
            return 0, b""
        finally:
            connection.close()

    def ask_as_others(self, more=()):
        """What another tenant, and somebody without a key, get to see: everything that can be asked, and every error."""
        asked = [("GET", path, b"") for path in ("/metrics", "/healthz", "/readyz", "/v1/models", "/v1/chat/completions", "/")]
        asked += [("POST", "/v1/chat/completions", json.dumps(chat_body(name)).encode()) for name, _, _ in capabilities()]
        asked += [("POST", f"/model/{name}/converse", b'{"messages": []}') for name, _, _ in capabilities()]
        for method, path, data in [*asked, *more]:
            for head in ({"authorization": f"Bearer {self.keys['globex']}"}, {}):
                before = len(self.failures)
                _, text = self.send(method, path, data, {"content-type": "application/json", **head})
                self.others += [text, *self.failures[before:]]
                del self.failures[before:]

    def _head(self, more):
        return {"authorization": f"Bearer {self.keys['acme']}", "content-type": "application/json", **more}

    def _raw(self, data, wait=2.0):
        with socket.create_connection((self.host, int(self.port)), timeout=wait) as connection:
            try:
                connection.sendall(data)
                return connection.recv(65536)
            except OSError:
                return b""


PARTS = ("prompt", "system", "tool description", "argument", "result", "user", "error")
WORDS = ("tool", "tag", "other tag", "call id", "client id")


def chat(name, given, stream):
    return "/v1/chat/completions", chat_body(name, given, stream), {"x-request-id": given["client id"]} if "client id" in given else {}


def chat_body(name, given=None, stream=False):
    given = given or {}
    messages = [{"role": "user", "content": given.get("prompt", "Where is my parcel?")}]
    if "system" in given:
        messages.insert(0, {"role": "system", "content": given["system"]})
    if "argument" in given:
        identity = given.get("call id", "call-1")
        call = {"id": identity, "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"for": given["argument"]})}}
        messages += [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": identity, "content": given.get("result", "none")},
                     {"role": "user", "content": given.get("error", given.get("prompt", "And?"))}]
    if "prompt" in given and given["prompt"].startswith("simulate:"):
        messages.append({"role": "user", "content": given["prompt"]})
    body = {"model": name, "messages": messages, "stream": stream, "max_tokens": 512}
    tags = {key: given[value] for key, value in (("team", "tag"), ("secret-sauce", "other tag")) if value in given}
    if tags:
        body["metadata"] = tags
    if "user" in given:
        body["user"] = given["user"]
    if "argument" in given:
        function = {"name": given.get("tool", "look_up")[:60] if is_name(given.get("tool", "")) else "look_up",
                    "description": given.get("tool description", "finds"), "parameters": {"type": "object", "properties": {}}}
        body["tools"] = [{"type": "function", "function": function}]
    return body


def converse(name, given, stream):
    messages = [{"role": "user", "content": [{"text": given["prompt"]}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call-1", "name": "look_up", "input": {"for": given["argument"]}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "call-1", "content": [{"text": given["result"]}]}}]}]
    if given["prompt"].startswith("simulate:"):
        messages = messages[:1]
    tool = {"toolSpec": {"name": given["tool"], "description": given["tool description"], "inputSchema": {"json": {"type": "object"}}}}
    body = {"messages": messages, "system": [{"text": given["system"]}], "toolConfig": {"tools": [tool]}, "inferenceConfig": {"maxTokens": 512},
            "requestMetadata": {"team": given["tag"], "secret-sauce": given["other tag"]}}
    operation = "converse-stream" if stream else "converse"
    return f"/model/{name}/{operation}", body, {"x-request-id": given["client id"]}


def is_name(text):
    return text.isascii() and text.isalnum()
