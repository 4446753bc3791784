#!/usr/bin/env python3
"""KMS is away for longer than the content topic remembers, throttles, denies: texts wait sealed, events flow, and each text is a row once.

Two gateways, two ingests and a query process over the Kafka, the S3 store and the KMS of `cargo xtask services`, with a proxy in front of KMS.
`eval "$(cargo xtask services env)"` first. Needs what requirements.txt names.
"""

import argparse
import http.client
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import boto3

from house import HANDLING, REVEAL_POLICY
from key_service_proxy import DENY, HANG, PASS, REFUSE, THROTTLE, KeyServiceProxy, make_key
from table import ContentTable

sys.path.append(str(Path(__file__).resolve().parent.parent / "cluster"))
from cluster import Cluster, http as get  # noqa: E402

PARTITIONS, CALLERS = 4, 8
STEPS = ["away", "figures", "bad-days"]
# Longer than ingest's patience with the vault, or than the pause between two tries of what is parked.
PATIENCE = 300
UNIT_KEYS = {"encrypt": "Encrypt", "decrypt": "Decrypt", "reencrypt": "ReEncrypt"}


class Asked:
    """One request that was answered."""

    def __init__(self, request, text):
        self.request, self.text = request, text


class Drill:
    def __init__(self, binary, sample, cache):
        self.cache = cache
        self.sample = sample
        self.work = Path(tempfile.mkdtemp(prefix="custody-kms-"))
        self.bucket, self.vault = os.environ["CUSTODY_TEST_S3_BUCKET"], f"vault-{os.getpid()}-{int(time.time())}"
        self.kms = KeyServiceProxy(os.environ["CUSTODY_TEST_KMS_ENDPOINT"])
        self.store = boto3.client("s3", endpoint_url=os.environ["CUSTODY_TEST_S3_ENDPOINT"], region_name="us-east-1")
        key = make_key(os.environ["CUSTODY_TEST_KMS_ENDPOINT"])
        place = f'root = "s3://{self.bucket}/{self.vault}"\nendpoint = "{os.environ["CUSTODY_TEST_S3_ENDPOINT"]}"\nregion = "us-east-1"\n'
        keys = f'[vault.keys]\nkind = "kms"\ndefault_key = "{key}"\nregion = "us-east-1"\nendpoint = "{self.kms.url}"\n'
        self.cluster = Cluster(binary, self.work, gateways=2, ingests=2, partitions=PARTITIONS, flush_seconds=2,
                               more=f"reveals = true\n[vault]\n{place}{keys}")
        workspace = self.work / "seed/workspace"
        (workspace / "data-handling.toml").write_text(HANDLING.format(second_person="false"))
        (workspace / "policies/reveal.cedar").write_text(REVEAL_POLICY)
        added = self.cluster.run("keys", "add", "--data-dir", str(self.work / "seed"), "--tenant", "acme", "--principal", "analyst",
                                 "--group", "investigators", "--person")
        self.analyst = added.stdout.strip().split(",")[1]
        self.topic = f"custody.content.{self.cluster.name}"
        self.asked, self.not_answered, self.fallen, self.turn = [], Counter(), [], threading.Lock()
        self.wrong = []

    # What callers do.

    def ask(self, count, persons, prefix):
        """So many requests by so many persons, over both gateways at once."""
        numbers = iter(range(count))
        threads = [threading.Thread(target=self._ask_some, args=(numbers, persons, prefix)) for _ in range(CALLERS)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.expect(f"each of {count} requests came to an end", next(numbers, None) is None and not self.fallen)

    def _ask_some(self, numbers, persons, prefix):
        connections = [http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60) for gateway in self.cluster.gateways]
        while True:
            with self.turn:
                number = next(numbers, None)
            if number is None:
                break
            text = f"{prefix} {number} of {persons} asks where the parcel of order {number * 7919} is"
            body = {"model": "docs.summarise", "messages": [{"role": "user", "content": text}], "user": f"{prefix}-{number % persons}"}
            connection = connections[number % len(connections)]
            headers = {"authorization": f"Bearer {self.cluster.keys['acme']}", "content-type": "application/json"}
            try:
                connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
                answer = connection.getresponse()
                said = answer.read()
            except (OSError, http.client.HTTPException) as error:
                with self.turn:
                    self.fallen.append(f"{type(error).__name__}: {error}")
                return
            with self.turn:
                if answer.status == 200:
                    self.asked.append(Asked(answer.headers["x-request-id"], text))
                else:
                    self.not_answered[f"{answer.status} {json.loads(said)['error'].get('code')}"] += 1

    # What is seen.

    def rows(self):
        """The table of texts, read without the product."""
        folder = self.work / "seen"
        shutil.rmtree(folder, ignore_errors=True)
        prefix = f"{self.cluster.name}/content/"
        for name in self.objects(prefix):
            target = folder / name.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.write_bytes(self.store.get_object(Bucket=self.bucket, Key=name)["Body"].read())
            except self.store.exceptions.NoSuchKey:
                pass
        return ContentTable(folder).rows() if folder.exists() else []

    def objects(self, prefix):
        for page in self.store.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", []))

    def parked(self):
        """Objects and the records in them."""
        heads = [self.store.get_object(Bucket=self.bucket, Key=name)["Body"].read(9) for name in self.objects(f"{self.vault}/parked/")]
        return len(heads), sum(struct.unpack(">I", head[5:])[0] for head in heads)

    def where_texts_are(self):
        objects, parked = self.parked()
        return len(self.rows()), parked, objects

    def await_texts(self, what, done, patience=PATIENCE):
        began = time.monotonic()
        while True:
            rows, parked, objects = self.where_texts_are()
            if done(rows, parked):
                print(f"      {what}: after {time.monotonic() - began:.0f} s {rows} rows, {parked} texts in {objects} parked objects", flush=True)
                return True
            if time.monotonic() - began > patience:
                self.expect(f"{what}: {rows} rows, {parked} parked of {2 * len(self.asked)} texts after {patience} s", False)
                return False
            time.sleep(2)

    def expect(self, text, holds):
        print(("ok    " if holds else "WRONG ") + text, flush=True)
        if not holds:
            self.wrong.append(text)

    def events_are_whole(self):
        """In SQL, the tail included; the lake may be seconds behind."""
        asked, end = len(self.asked), time.monotonic() + 60
        while True:
            answered = self.cluster.number("select count(*) from outcomes where class = 'answered'")
            texts = self.cluster.number("select count(*) from contents")
            if (answered, texts) == (asked, 2 * asked) or time.monotonic() > end:
                break
            time.sleep(1)
        self.expect(f"events: {answered} outcomes answered of {asked}, {texts} content events of {2 * asked}; refused: {dict(self.not_answered)}",
                    (answered, texts) == (asked, 2 * asked) and not self.not_answered)

    def every_text_once(self, first=0):
        rows = self.rows()
        states, ids = Counter(row["state"] for row in rows), Counter(row["content_id"] for row in rows)
        twice = sum(1 for times in ids.values() if times > 1)
        of_request = Counter(row["request_id"] for row in rows)
        missing = [asked for asked in self.asked if of_request[asked.request] != 2]
        self.expect(f"rows: {len(rows)} of {2 * len(self.asked)} texts {dict(states)}, twice: {twice}, requests without both: {len(missing)}",
                    len(rows) == 2 * len(self.asked) and not twice and not missing and set(states) == {"kept"})
        self.expect(f"parked: {self.parked()}", self.parked() == (0, 0))
        self.closed = []
        chosen = self.asked[first:][::max(1, len(self.asked[first:]) // self.sample)]
        opened = sum(self.opens(asked) for asked in chosen)
        self.expect(f"opened over HTTP: {opened} of {len(chosen)} {self.closed or ''}", opened == len(chosen))

    def opens(self, asked):
        status, answer = self.reveal(asked)
        opened = status == 200 and any(asked.text in text["text"] for text in answer["texts"] if text["part"] == "prompt")
        if not opened and len(self.closed) < 3:
            self.closed.append((status, answer.get("error") or answer.get("closed") or [text["part"] for text in answer["texts"]]))
        return opened

    def reveal(self, asked):
        headers = {"authorization": f"Bearer {self.analyst}", "content-type": "application/json"}
        body = json.dumps({"request_id": asked.request, "reason": "case 4711"}).encode()
        status, text = get(self.cluster.query.url + "/v1/reveal", body, 60, headers)
        return status, json.loads(text or "{}")

    def calls(self):
        """What the processes say they asked the key service."""
        said = Counter()
        for part in (*self.cluster.ingests, self.cluster.query):
            text = get(part.url + "/metrics")[1]
            for call in UNIT_KEYS:
                label = f'custody_key_service_calls_total{{call="{call}"}} '
                said[call] += sum(int(float(line.removeprefix(label))) for line in text.splitlines() if line.startswith(label))
        return said

    def counts_agree(self, said_before, seen_before):
        """The product counts a call once however often its client tries; so does the proxy, by the number of the try."""
        said, seen = self.calls(), self.kms.counted()
        said.subtract(said_before)
        requests, calls = (after - before for after, before in zip(seen, seen_before))
        self.expect(f"the product's count and the proxy's are the same: the processes say {dict(said)}; KMS saw {named(requests)}, first tries "
                    f"{dict(calls)}", all(said[call] == calls[name] for call, name in UNIT_KEYS.items()))
        return calls

    # What is done.

    def forget_topic(self):
        """Kafka's own tool: the topic really has nothing of before any more."""
        partitions = [{"topic": self.topic, "partition": number, "offset": -1} for number in range(PARTITIONS)]
        file = self.work / "delete.json"
        file.write_text(json.dumps({"partitions": partitions, "version": 1}))
        jars = next((self.cache / "kafka").rglob("kafka-clients-*.jar")).parent
        command = ["java", "-Xmx128m", "-cp", str(jars / "*"), "org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server",
                   os.environ["CUSTODY_TEST_KAFKA"], "--offset-json-file", str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
        marks = [line.strip() for line in done.stdout.splitlines() if "low_watermark" in line]
        self.expect(f"the topic forgot: {'; '.join(marks)}", done.returncode == 0 and len(marks) == PARTITIONS)

    def kill_ingests(self):
        for ingest in self.cluster.ingests:
            ingest.kill()
        for ingest in self.cluster.ingests:
            ingest.start()

    def run(self, steps):
        self.cluster.start()
        print("--- calm", flush=True)
        self.ask(40, 10, "calm")
        self.await_texts("kept", lambda rows, parked: rows == 80)
        self.events_are_whole()
        self.every_text_once()
        for step in steps:
            {"away": self.away, "figures": self.figures, "bad-days": self.bad_days}[step]()
        self.cluster.stop()

    def away(self):
        print("--- KMS refuses connections for longer than the topic remembers", flush=True)
        self.kms.set(REFUSE)
        self.ask(60, 30, "away")
        self.await_texts("parked", lambda rows, parked: parked and rows + parked == 2 * len(self.asked))
        self.events_are_whole()
        status, answer = self.reveal(self.asked[-1])
        self.expect(f"reveal of a text that waits: {status} {answer.get('error', {}).get('code')}", status == 404)
        self.forget_topic()
        print("--- ingests killed -9 and started while KMS is away: the keys of the days cannot be unwrapped", flush=True)
        self.kill_ingests()
        self.ask(40, 20, "restarted")
        self.await_texts("parked", lambda rows, parked: rows + parked == 2 * len(self.asked))
        self.events_are_whole()
        self.forget_topic()
        print("--- KMS takes connections and does not answer", flush=True)
        self.kms.set(HANG)
        self.ask(20, 20, "hanging")
        self.await_texts("parked", lambda rows, parked: rows + parked == 2 * len(self.asked))
        self.events_are_whole()
        self.forget_topic()
        print("--- KMS is back", flush=True)
        self.kms.set(PASS)
        self.await_texts("kept", lambda rows, parked: rows == 2 * len(self.asked) and not parked)
        self.every_text_once()

    def bad_days(self):
        for mode, share in ((THROTTLE, 1.0), (DENY, 1.0), (THROTTLE, 0.5), (DENY, 0.5)):
            print(f"--- KMS answers {share:.0%} of the calls of ten seconds with {mode}", flush=True)
            first, before, said_before = len(self.asked), self.kms.counted(), self.calls()
            self.kms.set(mode, share)
            began = time.monotonic()
            while time.monotonic() - began < 10:
                self.ask(8, 8, f"{mode}-{share}-{time.monotonic() - began:.2f}")
                time.sleep(0.5)
            self.kms.set(PASS)
            self.await_texts("kept", lambda rows, parked: rows == 2 * len(self.asked) and not parked)
            self.counts_agree(said_before, before)
            print(f"      {2 * (len(self.asked) - first)} texts", flush=True)
            self.events_are_whole()
            self.every_text_once(first)

    def figures(self):
        print("--- calls of a calm run: 5,000 texts by 200 persons, after a restart of all that ask", flush=True)
        askers = (*self.cluster.ingests, self.cluster.query)
        [part.stop() for part in askers]
        first, before = len(self.asked), self.kms.counted()
        [part.start() for part in askers]
        began = time.monotonic()
        self.ask(2500, 200, "many")
        self.await_texts("kept", lambda rows, parked: rows == 2 * len(self.asked) and not parked)
        took = time.monotonic() - began
        calls = self.counts_agree(Counter(), before)
        texts = 2 * (len(self.asked) - first)
        print(f"      {texts} texts by 200 persons within {took:.0f} s")
        for call, name in UNIT_KEYS.items():
            print(f"      {name}: {calls[name]}, {1000 * calls[name] / texts:.1f} per 1,000 texts, {1_000_000 * calls[name] // texts} per million "
                  "where each person has as many texts")
        self.events_are_whole()
        self.every_text_once(len(self.asked) - 200)


def named(requests):
    return {f"{operation} {outcome}": times for (operation, outcome), times in sorted(requests.items())}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    arguments.add_argument("--cache", type=Path, default=Path(os.environ["CUSTODY_TEST_KAFKA_CA"]).parent.parent.parent / "services-cache",
                           help="where the services have Kafka's own tools")
    arguments.add_argument("--sample", type=int, default=40, help="requests of each step whose text is asked for")
    arguments.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    arguments.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    options = arguments.parse_args()
    drill = Drill(options.binary.resolve(), options.sample, options.cache)
    try:
        drill.run(options.steps)
    finally:
        drill.cluster.kill_all()
    for line in drill.wrong:
        print(f"WRONG {line}")
    if options.keep or drill.wrong:
        print(drill.work)
    else:
        shutil.rmtree(drill.work)
    sys.exit(1 if drill.wrong else 0)


if __name__ == "__main__":
    main()
