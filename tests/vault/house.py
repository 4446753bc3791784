"""A data folder whose rules capture everything, a `custody up` on it, and the commands that a person would use on it."""

import http.client
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")

HANDLING = """
version = 1
claim_above_bytes = 16384

[retention.short]
days = 30

[[rule]]
name = "quality"
capability = ["support.answer", "docs.summarise"]
capture = ["prompt", "response", "tool_arguments", "feedback"]
purpose = "quality-review"
retention = "short"
redaction = "default"
reveal = {{ groups = ["investigators"], second_person = {second_person}, per_hour = 10000 }}
"""
REVEAL_POLICY = """
@id("reveal.investigators")
permit (principal in Group::"investigators", action == Action::"RevealContent", resource);
"""


class Answer:
    """What a caller got."""

    def __init__(self, response):
        self.status, self.body = response.status, response.read().decode(errors="replace")
        self.request_id = response.headers.get("x-request-id")

    def code(self):
        try:
            return json.loads(self.body)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return None


class House:
    """One data folder. `shift` moves the clock of every process that is started from then on, as faketime writes it: `+4d`."""

    def __init__(self, binary, work, second_person=False):
        self.binary, self.data, self.log = str(binary), Path(work) / "data", Path(work) / "up.log"
        self.shift, self.process, self.port, self.extra = None, None, None, {}
        self.keys = self.start()
        self.stop()
        workspace = self.data / "workspace"
        (workspace / "data-handling.toml").write_text(HANDLING.format(second_person=str(second_person).lower()))
        (workspace / "policies/reveal.cedar").write_text(REVEAL_POLICY)
        self.analysts = {tenant: self._add_key(tenant, "analyst") for tenant in ("acme", "globex")}
        self.program = self._add_key("acme", "program", ())
        self.seconds = {tenant: self._add_key(tenant, "second-analyst") for tenant in ("acme", "globex")}

    @classmethod
    def of_copies(cls, like, folder):
        """A house over a folder that was put together from copies, with the keys of another one."""
        house = cls.__new__(cls)
        house.binary, house.data, house.log = like.binary, Path(folder), Path(folder).parent / "copies.log"
        house.shift, house.process, house.port, house.extra = like.shift, None, None, dict(like.extra)
        house.keys, house.analysts, house.seconds = like.keys, like.analysts, like.seconds
        return house

    def _add_key(self, tenant, principal, kind=("--person",)):
        """Programs see no full text, whatever their groups."""
        done = self.run("keys", "add", "--tenant", tenant, "--principal", principal, "--group", "investigators", *kind)
        return done.stdout.strip().split(",")[1]

    def environment(self):
        shifted = {}
        if self.shift:
            shifted = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": self.shift, "DONT_FAKE_MONOTONIC": "1"}
        return {"RUST_LOG": "warn,custody=info", **os.environ, **self.extra, **shifted}

    def start(self, *options, flush_age=1):
        """Starts, waits until it is ready, and returns the keys it printed."""
        command = [self.binary, "up", "--data-dir", str(self.data), "--listen", "127.0.0.1:0", "--flush-age", str(flush_age), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True, env=self.environment())
        keys = {}
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == ["key"]:
                keys[words[1]] = words[2]
            if words[:1] == ["gateway"]:
                self.port = int(words[1].removesuffix("/v1").rsplit(":", 1)[1])
            if words[:1] == ["ready"]:
                return keys
        raise RuntimeError(f"custody up ended with {self.process.wait()}: {self.log.read_text()[-4000:]}")

    def stop(self):
        """Everything recorded is in the lake afterwards."""
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.read()
        ended = self.process.wait(120)
        self.process = None
        if ended != 0:
            raise RuntimeError(f"custody up ended with {ended}: {self.log.read_text()[-4000:]}")

    def kill(self):
        self.process.kill()
        self.process.stdout.read()
        self.process.wait(60)
        self.process = None

    @property
    def texts(self):
        """The table of texts."""
        return self.data / "lake/content"

    def ask(self, text, tenant="acme", capability="support.answer", user=None, stream=False, **more):
        body = {"model": capability, "messages": [{"role": "user", "content": text}], "stream": stream, **more}
        if user:
            body["user"] = user
        return self.post("/v1/chat/completions", body, self.keys[tenant])

    def post(self, path, body, key):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def run(self, *arguments, key=None, check=True, where="--data-dir"):
        """A command of the binary on this folder."""
        command = [self.binary, *arguments, where, str(self.data)]
        environment = {**self.environment(), **({"CUSTODY_KEY": key} if key else {})}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command[1:])} ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return done

    def sql(self, statement):
        return [json.loads(line) for line in self.run("sql", "--format", "json", statement).stdout.splitlines()]

    def reveal(self, request, tenant="acme", *options, key=None):
        """The texts of a request as an analyst of the tenant sees them: exit code, standard output, standard error."""
        return self.run("reveal", request, "--reason", "case 4711", *options, key=key or self.analysts[tenant], check=False)

    def copy(self, to):
        shutil.copytree(self.data, to, symlinks=True)
        return Path(to)
