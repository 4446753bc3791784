"""A distributed Custody on this machine: gateways, ingest instances and a query process over real Kafka and S3.

The services' addresses come from the environment that `cargo xtask services env` prints. Everything else is made anew in a folder: a
workspace with keys, a deployment file with a topic, a group and a lake prefix of its own.
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http(url, body=None, timeout=30, headers=None):
    """Status and text of one request; status 0 where nobody answers, or not to the end."""
    try:
        request = urllib.request.Request(url, data=body, headers=headers or {})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (OSError, HTTPException):
        return 0, ""


def kafka(security):
    """The brokers' addresses and the deployment file's lines for one way in: `plaintext`, `scram` or `tls` (mutual)."""
    known = os.environ
    # JSON's strings are TOML's.
    ca = lambda: f"ca_file = {json.dumps(known['CUSTODY_TEST_KAFKA_CA'])}"
    if security == "plaintext":
        return known["CUSTODY_TEST_KAFKA"], ['kind = "plaintext"']
    if security == "scram":
        user, password = (json.dumps(known[f"CUSTODY_TEST_KAFKA_{name}"]) for name in ("USER", "PASSWORD_FILE"))
        return known["CUSTODY_TEST_KAFKA_SASL"], ['kind = "scram-sha-512"', ca(), f"user = {user}", f"password_file = {password}"]
    if security == "tls":
        certificate, key = (json.dumps(known[f"CUSTODY_TEST_KAFKA_CLIENT_{name}"]) for name in ("CERT", "KEY"))
        return known["CUSTODY_TEST_KAFKA_TLS"], ['kind = "tls"', ca(), f"certificate_file = {certificate}", f"key_file = {key}"]
    raise ValueError(f"no such security: {security}")


class Part:
    """One service as a process that can be killed and started again under the same name, port and folder."""

    def __init__(self, cluster, name, arguments, port, preexec=None):
        self.cluster, self.name, self.arguments, self.port, self.preexec = cluster, name, arguments, port, preexec
        self.log = cluster.work / f"{name}.log"
        self.process = None
        # What the next start runs under, and its further environment: a user of its own, another clock.
        self.prefix, self.environment = [], {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, wait=True):
        command = [*self.prefix, self.cluster.binary, *self.arguments, "--config", str(self.cluster.config), "--listen", f"127.0.0.1:{self.port}"]
        log = open(self.log, "ab")
        environment = {**self.cluster.environment, **self.environment}
        self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=self.preexec, env=environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, patience=60):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if http(self.url + "/healthz", timeout=2)[0] == 200:
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {self.tail()}")
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} is not up: {self.tail()}")

    def tail(self):
        return b" | ".join(self.log.read_bytes().splitlines()[-5:]).decode()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, patience=60):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(patience)

    def is_running(self):
        return self.process is not None and self.process.poll() is None


class Cluster:
    def __init__(self, binary, work, gateways=2, ingests=3, partitions=12, replication=1, flush_seconds=5, tenants_of=None, more="",
                 security="plaintext"):
        self.binary, self.work = str(binary), Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ, RUST_LOG=os.environ.get("RUST_LOG", "warn,custody=info"))
        self.keys = self._workspace(tenants_of)
        self.name = f"t{os.getpid()}-{int(time.time())}"
        self.config = self.work / "deployment.toml"
        brokers, way_in = kafka(security)
        way_in = "\n".join(way_in)
        self.config.write_text(f"""
workspace = "{self.work}/seed/workspace"
[log]
brokers = {json.dumps(brokers.split(","))}
content_topic = "custody.content.{self.name}"
[log.security]
{way_in}
[log.topic]
name = "custody.events.{self.name}"
partitions = {partitions}
replication = {replication}
min_insync_replicas = {2 if replication > 2 else 1}
[lake]
root = "s3://{os.environ['CUSTODY_TEST_S3_BUCKET']}/{self.name}"
endpoint = "{os.environ['CUSTODY_TEST_S3_ENDPOINT']}"
region = "us-east-1"
[gateway]
data_dir = "{self.work}/gateway"
hash_key_file = "{self.work}/hash.key"
[ingest]
group = "ingest-{self.name}"
flush_seconds = {flush_seconds}
[ingest.maintenance]
every_minutes = 1
[query]
{more}
""")
        self.run("topics", "apply", "--config", str(self.config))
        self.gateways = [
            Part(self, f"gateway{n}", ["gateway", "--data-dir", str(self.work / f"gateway{n}")], free_port()) for n in range(gateways)
        ]
        self.ingests = [Part(self, f"ingest{n}", ["ingest"], free_port()) for n in range(ingests)]
        self.query = Part(self, "query", ["query"], free_port())

    @property
    def parts(self):
        return [*self.ingests, self.query, *self.gateways]

    def start(self):
        for part in self.parts:
            part.start()
        return self

    def stop(self):
        """In the order of the data's way. Each must end by itself with success."""
        for part in [*self.gateways, *self.ingests, self.query]:
            if part.is_running() and part.stop() != 0:
                raise RuntimeError(f"{part.name} ended badly: {part.tail()}")

    def kill_all(self):
        for part in self.parts:
            if part.is_running():
                part.kill()

    def run(self, *arguments, check=True):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, env=self.environment)
        if check and done.returncode != 0:
            raise RuntimeError(f"custody {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def sql(self, statement, form="text/csv", timeout=300):
        status, text = http(self.query.url + "/sql", statement.encode(), timeout, {"accept": form})
        if status != 200:
            raise RuntimeError(f"{status}: {text.strip()}")
        return text

    def number(self, statement):
        return int(self.sql(statement).splitlines()[1])

    def urls(self):
        return ",".join(gateway.url for gateway in self.gateways)

    def _workspace(self, tenants_of):
        """`custody up` writes the example workspace and prints its keys once."""
        seed = self.work / "seed"
        up = subprocess.Popen([self.binary, "up", "--data-dir", seed, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        keys = {}
        for line in up.stdout:
            words = line.split()
            if words[:1] == ["key"]:
                keys[words[1]] = words[2]
            if words[:1] == ["ready"]:
                break
        up.send_signal(signal.SIGINT)
        up.wait()
        if tenants_of:
            out = self.work / "keys.csv"
            subprocess.run(
                [self.binary, "keys", "add", "--data-dir", seed, "--tenants-of", tenants_of, "--principal", "replay", "--group", "replay",
                 "--out", out],
                check=True,
            )
        return keys
