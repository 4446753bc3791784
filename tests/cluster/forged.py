#!/usr/bin/env python3
"""Does the checker of chaos.py notice? Answers some requests, finds nothing wrong, then forges the lake in one way after the other with
Python's `deltalake` and expects the violation each time. A checker that finds nothing proves nothing until this passes.

Usage: forged.py BINARY [--requests N]    (with the packages of readers-requirements.txt)
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import deltalake

from check import Check
from cluster import Cluster, http
from freshness import ask, figure


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--requests", type=int, default=40)
    options = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-forged-"))
    cluster = Cluster(options.binary, work, gateways=1, ingests=1, flush_seconds=1)
    try:
        return forge_all(cluster.start(), options.requests)
    finally:
        cluster.kill_all()
        shutil.rmtree(work)


def forge_all(cluster, requests):
    answered = [ask(cluster) for _ in range(requests)]
    settle(cluster)
    lake, victim = Lake(cluster).opened(), answered[len(answered) // 2]
    of_victim = f"request_id = '{victim}'"
    forgeries = {
        "nothing": (lambda: None, answered, []),
        "an answer that nobody recorded": (lambda: None, [*answered, "no-such-request"], ["without any trail: 1"]),
        "a whole request deleted": (lambda: lake.delete(of_victim), answered, ["without any trail: 1", "holes: 7"]),
        "a cost deleted": (lambda: lake.delete(f"{of_victim} and kind = 'cost'"), answered, ["its whole trail: 1", "holes: 1"]),
        "an outcome deleted": (lambda: lake.delete(f"{of_victim} and kind = 'outcome'"), answered, ["its whole trail: 1", "holes: 1", "exactly one outcome: 1"]),
        "a request stored twice": (lambda: lake.double(victim), answered, ["its whole trail: 1", "twice: 7", "exactly one outcome: 1"]),
        "an outcome altered": (lambda: lake.alter(f"{of_victim} and kind = 'outcome'"), answered, ["its whole trail: 1"]),
    }
    failed = [name for name, (forge, ids, expected) in forgeries.items() if not noticed(cluster, lake, name, forge, ids, expected)]
    print(f"{len(forgeries)} cases, {len(failed)} not as expected {failed or ''}")
    return 1 if failed else 0


def noticed(cluster, lake, name, forge, answered, expected):
    before = lake.version()
    forge()
    check = Check(cluster, answered, lambda text: None)
    check.evidence()
    found = check.violations
    fits = len(found) == len(expected) and all(any(text in violation for violation in found) for text in expected)
    print(f"{'ok    ' if fits else 'MISSED'} {name}: {len(found)} violations; {[violation[:90] for violation in found]}", flush=True)
    lake.back_to(before)
    return fits


def settle(cluster):
    """Until the lake has everything; then nothing but the forger writes."""
    while figure(cluster.ingests[0], "custody_ingest_lag_records") + figure(cluster.ingests[0], "custody_ingest_lag_unknown_partitions"):
        time.sleep(0.2)
    if cluster.gateways[0].stop() or cluster.ingests[0].stop():
        sys.exit("a part ended badly")


class Lake:
    """The events table, in the hands of someone who may write to the bucket."""

    def __init__(self, cluster):
        self.cluster = cluster
        root, endpoint = [line.split('"')[1] for line in cluster.config.read_text().splitlines() if line.startswith(("root", "endpoint"))]
        self.uri = root + "/events"
        self.options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}

    def opened(self):
        """The table is append-only, which every well-behaved writer heeds; who may write to the bucket can take that away first."""
        try:
            self.table().delete()
        except deltalake.exceptions.DeltaError as refused:
            print(f"ok     an append-only table: {str(refused)[:100]}")
        else:
            sys.exit("rows of an append-only table could be deleted")
        self.table().alter.set_table_properties({"delta.appendOnly": "false"})
        return self

    def table(self):
        return deltalake.DeltaTable(self.uri, storage_options=self.options)

    def version(self):
        return self.table().version()

    def delete(self, where):
        deleted = self.table().delete(where)["num_deleted_rows"]
        assert deleted, where

    def alter(self, where):
        assert self.table().update({"outcome_class": "'failed'"}, predicate=where)["num_updated_rows"] == 1

    def double(self, request_id):
        rows = self.table().to_pyarrow_table(filters=[("request_id", "=", request_id)])
        deltalake.write_deltalake(self.uri, rows, mode="append", storage_options=self.options)

    def back_to(self, version):
        if self.version() != version:
            self.table().restore(version)
        # The query process looks for a newer version with each question.
        http(self.cluster.query.url + "/sql", b"select count(*) from events")


if __name__ == "__main__":
    sys.exit(main())
