"""`custody up` under the scan: everything in one process, and every place that it writes to."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import governed
import memory
from echo import SLOW
from governed import KEPT
from office import Office, reviewer_key
from ways import chat

# The loudest that a log may be asked to be about those who carry whole requests.
LOG = "warn,custody=info,custody_gateway=trace,custody_ingest=trace,aws_smithy_runtime=trace,aws_sdk_bedrockruntime=trace,hyper=debug"
TABLES = ("events", "dead_letters", "contents", "feedback", "accesses")


class Embedded:
    surfaces = ("journal", "content journal", "lake: events", "lake: content", "vault", "standard error", "figures", "SQL and commands",
                "answers to others", "core dump")

    def __init__(self, binary, work, echo):
        self.binary, self.work, self.data = str(binary), work, work / "data"
        self.temporary, self.here = work / "tmp", work / "cores"
        for folder in (self.temporary, self.here):
            folder.mkdir(parents=True)
        known = {"AWS_ACCESS_KEY_ID": "AKIASTUBSTUBSTUBSTUB", "AWS_SECRET_ACCESS_KEY": "stub-secret-of-no-value", "AWS_REGION": "eu-central-1"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {**kept, **known, "AWS_EC2_METADATA_DISABLED": "true", "TMPDIR": str(self.temporary), "RUST_LOG": LOG}
        self.keys = self.start()
        self.stop()
        self.keys[governed.REVIEWERS] = reviewer_key(binary, self.data, self.environment)
        governed.write(self.data / "workspace", echo.url)

    def start(self):
        command = [self.binary, "up", "--data-dir", str(self.data), "--listen", "127.0.0.1:0", "--flush-age", "2"]
        log = open(self.work / "stderr", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment, cwd=self.here,
                                        preexec_fn=memory.cores_allowed)
        keys = {}
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == ["key"]:
                keys[words[1]] = words[2]
            if words[:1] == ["gateway"]:
                self.address = words[1].removesuffix("/v1").removeprefix("http://")
            if words[:1] == ["ready"]:
                return keys
        tail = (self.work / "stderr").read_bytes()[-3000:].decode(errors="replace")
        raise RuntimeError(f"custody up ended with {self.process.wait()}: {tail}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.said = self.process.stdout.read().encode()
        if self.process.wait(120) != 0:
            raise RuntimeError("custody up ended badly")

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, env=self.environment)
        if done.returncode != 0:
            raise RuntimeError(f"custody {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout + done.stderr

    def office(self):
        return Office(self.binary, ["--data-dir", str(self.data)], self.environment, self.keys)

    def while_running(self, scan, ways):
        """Before the journal is truncated."""
        scan.look("figures", "/metrics", ways.send("GET", "/metrics", b"", {})[1])
        ways.ask_as_others()
        scan.look("answers to others", "all", b"\n".join(ways.others))
        for surface, folder in (("journal", "journal"), ("content journal", "content")):
            scan.look_in(surface, self.data / folder)

    def killed(self, scan, ways, canary):
        """SIGABRT while a request is under way, then a start that recovers."""
        self.start()
        ways.host, ways.port = self.address.split(":")
        path, body, _ = chat(f"chat.answer.{KEPT}", {"prompt": f"{SLOW} {canary}"}, False)
        asking = threading.Thread(target=lambda: ways.post(path, body))
        asking.start()
        time.sleep(1.5)
        self.process.send_signal(signal.SIGABRT)
        self.process.wait(60)
        asking.join()
        cores = [file for file in self.here.iterdir() if file.name.startswith("core")]
        for core in cores:
            scan.look("core dump", core.name, core.read_bytes())
        scan.seen("core dump")
        self.start()
        self.stop()
        return len(cores)

    def at_rest(self, scan):
        """After a stop: everything recorded is in the lake."""
        lake = self.data / "lake"
        for folder in sorted(lake.iterdir()):
            scan.look_in(f"lake: {folder.name.replace('_', ' ')}", folder)
        for surface, folder in (("journal", "journal"), ("content journal", "content"), ("vault", "vault")):
            if (self.data / folder).exists():
                scan.look_in(surface, self.data / folder)
        scan.look_in("standard error", self.work / "stderr")
        scan.look("standard output", "up", self.said)
        scan.look_in("temporary files", self.temporary)
        known = {"lake", "journal", "content", "vault", "workspace"}
        for other in sorted(self.data.iterdir()):
            if other.name not in known:
                scan.look_in("rest of the data folder", other)
        for table in TABLES:
            shown = self.run("sql", "--data-dir", str(self.data), "--format", "json", "--limit", "0", f"select * from {table}")
            scan.look("SQL and commands", table, shown)
        for command in (("lake", "status"), ("deadletters", "list")):
            scan.look("SQL and commands", " ".join(command), self.run(*command, "--data-dir", str(self.data)))

    def memory(self):
        return memory.of(self.process.pid)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
