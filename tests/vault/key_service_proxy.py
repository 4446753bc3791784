"""A proxy in front of a KMS that does what services do on bad days: it refuses connections, does not answer, throttles or denies a share of
the calls. It counts every request by operation and by what became of it."""

import http.client
import json
import random
import re
import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

PASS, REFUSE, HANG, THROTTLE, DENY = "pass", "refuse", "hang", "throttle", "deny"
ANSWERS = {THROTTLE: "ThrottlingException", DENY: "AccessDeniedException"}
READ = re.compile(rb"(?i)content-length: *(\d+)")
TARGET = re.compile(rb"(?i)x-amz-target: *TrentService\.(\w+)")
ATTEMPT = re.compile(rb"(?i)amz-sdk-request: *attempt=(\d+)")


class KeyServiceProxy:
    def __init__(self, endpoint):
        self.far = urlsplit(endpoint)
        self.mode, self.share, self.dice, self.lock = PASS, 1.0, random.Random(7), threading.Lock()
        # By operation and outcome; by operation, first tries only: what the product calls one call.
        self.requests, self.calls, self.turned_away = Counter(), Counter(), 0
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def set(self, mode, share=1.0):
        """Connections that are open do not survive a change."""
        with self.lock:
            self.mode, self.share = mode, share
            if mode == REFUSE and self.listener:
                # A socket that somebody waits on in accept() is closed by shutting it down.
                self.listener.shutdown(socket.SHUT_RDWR)
                self.listener.close()
                self.listener = None
            if mode != REFUSE and not self.listener:
                self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
                threading.Thread(target=self._accept, daemon=True).start()
            connections, self.open = self.open, set()
        for connection in connections:
            connection.close()

    def counted(self):
        with self.lock:
            return Counter(self.requests), Counter(self.calls)

    def _accept(self):
        listener = self.listener
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(near)
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        try:
            while request := self._read(near):
                self._answer(near, *request)
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(near)
            near.close()

    @staticmethod
    def _read(near):
        data = b""
        while b"\r\n\r\n" not in data:
            more = near.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(READ.search(head).group(1)) if READ.search(head) else 0
        while len(body) < length:
            more = near.recv(65536)
            if not more:
                return None
            body += more
        return head, body

    def _answer(self, near, head, body):
        operation = TARGET.search(head).group(1).decode() if TARGET.search(head) else "other"
        first = (ATTEMPT.search(head) or re.match(b"(1)", b"1")).group(1) == b"1"
        with self.lock:
            struck = self.mode not in (PASS,) and self.dice.random() < self.share
            outcome = self.mode if struck else PASS
            self.requests[operation, outcome] += 1
            self.calls[operation] += first
        if outcome == PASS:
            status, reason, answer = self._ask(head, body)
            send(near, status, reason, answer)
        elif outcome in ANSWERS:
            send(near, 400, "Bad Request", json.dumps({"__type": ANSWERS[outcome], "message": "drill"}).encode())
        elif outcome == HANG:
            # Until the caller gives up, or the mode changes and this connection is closed.
            near.recv(1)
            raise OSError("nobody waits any more")
        else:
            raise OSError("refused")

    def _ask(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = dict(line.split(": ", 1) if ": " in line else (line.split(":", 1)[0], line.split(":", 1)[1]) for line in lines[1:])
        connection = http.client.HTTPConnection(self.far.hostname, self.far.port, timeout=30)
        try:
            connection.request(method, path, body, {name: value for name, value in headers.items() if name.lower() != "host"})
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.read()
        finally:
            connection.close()


def send(near, status, reason, body):
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    near.sendall(head.encode() + body)


def make_key(endpoint):
    """A key, made without a client library."""
    far = urlsplit(endpoint)
    connection = http.client.HTTPConnection(far.hostname, far.port, timeout=30)
    credential = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"x-amz-target": "TrentService.CreateKey", "content-type": "application/x-amz-json-1.1", "authorization": credential}
    connection.request("POST", "/", b"{}", headers)
    return json.loads(connection.getresponse().read())["KeyMetadata"]["Arn"]
