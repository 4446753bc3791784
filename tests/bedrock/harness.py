"""A running stub for tests, and requests to it byte by byte."""

import json
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
BEARER = "stub-bearer-of-no-value"
ACCESS_KEY, SECRET_KEY = "AKIASTUBSTUBSTUBSTUB", "stub-secret-of-no-value"
HELLO = {"messages": [{"role": "user", "content": [{"text": "Where is my parcel?"}]}]}


class RunningStub:
    """The stub as a process of its own, as every user of it starts it."""

    def __init__(self, *options):
        with tempfile.NamedTemporaryFile() as unused:
            self.port_file = Path(unused.name + ".port")
        command = [sys.executable, HERE / "stub.py", "--port-file", self.port_file, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline().split()
        if ready[:1] != ["ready"]:
            raise RuntimeError("the stub did not start")
        self.url = ready[1]
        self.port = int(self.port_file.read_text())
        self.port_file.unlink()

    def stop(self):
        """Ends it and returns what else it said, and its exit code."""
        self.process.terminate()
        said = self.process.communicate(timeout=10)[0]
        return said, self.process.returncode

    def report(self):
        with urllib.request.urlopen(self.url + "/_stub/requests", timeout=10) as answer:
            return json.load(answer)

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(self.url + "/_stub/reset", method="POST"), timeout=10).close()

    def fail(self, percent):
        """From now on so many of a hundred requests for `stub.failing…` are refused."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/_stub/failing/{percent}", method="POST"), timeout=30).close()

    def received(self, model_id):
        """How many requests came for a model id, over all operations."""
        return sum(row["count"] for row in self.report()["requests"] if row["model"] == model_id)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def request_bytes(path, body=None, method="POST", bearer=BEARER, headers=()):
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: stub", f"Content-Length: {len(data)}", *(f"{name}: {value}" for name, value in headers)]
    if bearer:
        lines.append(f"Authorization: Bearer {bearer}")
    return "\r\n".join([*lines, "", ""]).encode() + data
