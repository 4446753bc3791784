"""Gateway, ingest and query as processes of their own under the scan, on the Kafka and the S3 store of `cargo xtask services`."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import boto3

import governed
import memory
from echo import SLOW
from embedded import LOG, TABLES
from governed import KEPT
from office import Office, reviewer_key
from ways import chat

sys.path.append(str(Path(__file__).resolve().parent.parent / "cluster"))
from cluster import Cluster, http  # noqa: E402

PARTITIONS = 3
# What a batch waits at most on its way from Kafka into the lake.
FLUSH_SECONDS = 3
PATIENCE = 90


class Distributed:
    surfaces = ("gateway's journal", "gateway's content journal", "Kafka: events", "Kafka: content", "S3: lake, events", "S3: lake, content", "S3: vault",
                "standard error", "figures", "SQL and commands", "answers to others", "core dump")

    def __init__(self, binary, work, echo):
        self.work, self.here = work, work / "cores"
        self.here.mkdir(parents=True)
        os.environ.update(RUST_LOG=LOG, AWS_EC2_METADATA_DISABLED="true", TMPDIR=str(self.here))
        self.bucket = os.environ["CUSTODY_TEST_S3_BUCKET"]
        self.vault = f"vault-{os.getpid()}-{int(time.time())}"
        more = self._vault()
        self.cluster = Cluster(binary, work, gateways=1, ingests=1, partitions=PARTITIONS, flush_seconds=FLUSH_SECONDS, more=more)
        self.keys = {**self.cluster.keys, governed.REVIEWERS: reviewer_key(binary, work / "seed")}
        for part in self.cluster.parts:
            part.preexec = self._prepared
        governed.write(work / "seed/workspace", echo.url)
        self.gateway = self.cluster.gateways[0]

    def start(self):
        self.cluster.start()
        self.address = f"127.0.0.1:{self.gateway.port}"

    def stop(self):
        self._await_the_lake()
        self._ask(self.shown.append)
        self.cluster.stop()

    shown = ()

    def office(self):
        return Office(self.cluster.binary, ["--config", str(self.cluster.config)], self.cluster.environment, self.keys)

    def while_running(self, scan, ways):
        self.shown = []
        for part in self.cluster.parts:
            scan.look("figures", part.name, http(part.url + "/metrics")[1].encode())
        ways.ask_as_others()
        scan.look("answers to others", "all", b"\n".join(ways.others))
        self._look_in_the_journals(scan)

    def killed(self, scan, ways, canary):
        for part in self.cluster.parts:
            part.start()
        path, body, _ = chat(f"chat.answer.{KEPT}", {"prompt": f"{SLOW} {canary}"}, False)
        asking = threading.Thread(target=lambda: ways.post(path, body))
        asking.start()
        time.sleep(1.5)
        for part in self.cluster.parts:
            part.process.send_signal(signal.SIGABRT)
            part.process.wait(60)
        asking.join()
        cores = [file for file in self.here.iterdir() if file.name.startswith("core")]
        for core in cores:
            scan.look("core dump", core.name, core.read_bytes())
        scan.seen("core dump")
        for part in self.cluster.parts:
            part.start()
        self.stop()
        return len(cores)

    def at_rest(self, scan):
        self._look_in_the_journals(scan)
        services = Path(os.environ["CUSTODY_TEST_KAFKA_CA"]).parent.parent
        for folder in sorted(services.glob(f"kafka-*/**/custody.*{self.cluster.name}*")):
            if folder.is_dir():
                scan.look_in("Kafka: content" if "content" in folder.name else "Kafka: events", folder)
        self._look_in_the_store(scan)
        for log in self.work.glob("*.log"):
            scan.look_in("standard error", log)
        for at, shown in enumerate(self.shown):
            scan.look("SQL and commands", str(at), shown)
        for command in (("lake", "status"), ("deadletters", "list")):
            done = self.cluster.run(*command, "--config", str(self.cluster.config), check=False)
            scan.look("SQL and commands", " ".join(command), (done.stdout + done.stderr).encode())

    def memory(self):
        for part in self.cluster.parts:
            yield from memory.of(part.process.pid)

    def kill(self):
        self.cluster.kill_all()

    def _prepared(self):
        memory.cores_allowed()
        os.chdir(self.here)

    def _vault(self):
        place = f's3://{self.bucket}/{self.vault}"\nendpoint = "{os.environ["CUSTODY_TEST_S3_ENDPOINT"]}"\nregion = "us-east-1'
        return f'[vault]\nroot = "{place}"\n[vault.keys]\n{self._keys()}'

    def _keys(self):
        """A key service, where the services have one."""
        service = os.environ.get("CUSTODY_TEST_KMS_ENDPOINT")
        print(f"keys are wrapped by {'a key file' if service is None else 'the key service'}")
        if service is None:
            return f'kind = "file"\npath = "{self.work}/vault.key"\n'
        key = boto3.client("kms", endpoint_url=service, region_name="us-east-1").create_key()["KeyMetadata"]["Arn"]
        return f'kind = "kms"\ndefault_key = "{key}"\nregion = "us-east-1"\nendpoint = "{service}"\n'

    def _look_in_the_journals(self, scan):
        folder = self.work / "gateway0"
        for surface, name in (("gateway's journal", "journal"), ("gateway's content journal", "content")):
            if (folder / name).exists():
                scan.look_in(surface, folder / name)

    def _look_in_the_store(self, scan):
        store = boto3.client("s3", endpoint_url=os.environ["CUSTODY_TEST_S3_ENDPOINT"], region_name="us-east-1")
        for prefix in (self.cluster.name, self.vault):
            for page in store.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{prefix}/"):
                for found in page.get("Contents", []):
                    key = found["Key"]
                    answer = store.get_object(Bucket=self.bucket, Key=key)
                    surface = "S3: vault" if prefix == self.vault else f"S3: lake, {key.split('/')[1].replace('_', ' ')}"
                    scan.look(surface, "name of an object", key.encode() + repr(answer["Metadata"]).encode())
                    scan.look(surface, key, answer["Body"].read())

    def _ask(self, take):
        for table in TABLES:
            status, text = http(self.cluster.query.url + "/sql", f"select * from {table}".encode(), 120, {"accept": "application/x-ndjson"})
            if status != 200:
                raise RuntimeError(f"{table} cannot be read in SQL: {status} {text[-500:]}")
            take(text.encode())

    def _await_the_lake(self):
        """All that was recorded is stored when the count stays."""
        end, before = time.monotonic() + PATIENCE, -1
        while time.monotonic() < end:
            now = self.cluster.number("select count(*) from events")
            if now == before:
                return
            before = now
            time.sleep(FLUSH_SECONDS + 2)
