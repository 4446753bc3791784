#!/usr/bin/env python3
"""The content topic holds the records of the gateways' content journals, byte for byte: what opens of a copy of the one opens of the other.

Texts go through two gateways to a real Kafka; then the journals and the broker's own segment files are read from the disk, without the
product, and compared record by record. shred.py takes copies of a journal, and by this also of the topic.

`eval "$(cargo xtask services env)"` first. Needs what ../leaks/requirements.txt names.
"""

import argparse
import http.client
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from house import HANDLING, Answer
from segments import decoded, number, segments

sys.path += [str(Path(__file__).resolve().parent.parent / folder) for folder in ("cluster", "leaks")]
from cluster import Cluster  # noqa: E402
from kafka_segments import batches  # noqa: E402

REQUESTS, LARGE = 40, 80 * 1024
PATIENCE = 60


def ask(cluster, at):
    text = f"where is the parcel of order {at * 7919}? " * (LARGE // 40 if at % 10 == 0 else 1)
    body = {"model": "docs.summarise", "messages": [{"role": "user", "content": text}], "user": f"person-{at % 5}"}
    connection = http.client.HTTPConnection("127.0.0.1", cluster.gateways[at % 2].port, timeout=60)
    headers = {"authorization": f"Bearer {cluster.keys['acme']}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = Answer(connection.getresponse())
    assert answer.status == 200, answer.body


def values(records):
    """The values of the records of one batch of Kafka."""
    at = 0
    while at < len(records):
        length, at = number(records, at)
        end, at = at + length, at + 1
        for _ in ("time", "offset"):
            _, at = number(records, at)
        size, at = number(records, at)
        size, at = number(records, at + size)
        yield records[at:at + size]
        at = end


def of_journals(work):
    return Counter(payload for folder in sorted(work.glob("gateway*/content")) for segment in segments(folder) for _, payload in segment.frames)


def of_topic(topic):
    services = Path(os.environ["CUSTODY_TEST_KAFKA_CA"]).parent.parent
    files = [file for file in services.glob(f"kafka-*/**/{topic}-*/*.log") if file.is_file()]
    return Counter(value for file in files for _, records in batches(file.read_bytes()) for value in values(records))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    options = arguments.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-topic-"))
    place = f'root = "s3://{os.environ["CUSTODY_TEST_S3_BUCKET"]}/vault-{os.getpid()}-{int(time.time())}"\n' \
            f'endpoint = "{os.environ["CUSTODY_TEST_S3_ENDPOINT"]}"\nregion = "us-east-1"\n'
    cluster = Cluster(options.binary.resolve(), work, gateways=2, ingests=1, partitions=4, flush_seconds=2,
                      more=f'[vault]\n{place}[vault.keys]\nkind = "file"\npath = "{work}/vault.key"\n')
    (work / "seed/workspace/data-handling.toml").write_text(HANDLING.format(second_person="false"))
    try:
        cluster.start()
        for at in range(REQUESTS):
            ask(cluster, at)
        end = time.monotonic() + PATIENCE
        while (kept := of_journals(work)) != (shipped := of_topic(f"custody.content.{cluster.name}")) and time.monotonic() < end:
            time.sleep(1)
    finally:
        cluster.kill_all()
    texts = [record for record in map(decoded, kept) if record["part"] != "end"]
    claims = sum(1 for record in texts if record["claim"])
    same = kept == shipped and len(texts) == 2 * REQUESTS and claims > 0
    print(f"{sum(kept.values())} records in the journals of two gateways, {len(texts)} with texts, {claims} of these as claim checks; "
          f"{sum(shipped.values())} in the topic's segments; {(kept & shipped).total()} the same byte for byte")
    shutil.rmtree(work)
    if not same:
        print("WRONG the topic and the journals differ")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
