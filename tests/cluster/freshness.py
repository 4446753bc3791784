#!/usr/bin/env python3
"""How long it takes from an answer to its outcome in SQL, at several flush ages; and what a query process holds while ingest is away.

Usage: freshness.py BINARY [--ages 5,60,300] [--seconds S] [--away MINUTES]
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cluster import Cluster, http

TRACE_ROWS = 200_000


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--ages", default="5,60,300", help="flush ages in seconds")
    options.add_argument("--seconds", type=float, default=60, help="how long to measure each")
    options.add_argument("--rate", type=float, default=200, help="requests a second beside the measurement")
    options.add_argument("--away", type=float, default=0, help="minutes without ingest, measured last")
    options = options.parse_args()
    for age in filter(None, options.ages.split(",")):
        measure(options, int(age))
    if options.away:
        without_ingest(options)


def measure(options, age):
    with Running(options, flush_seconds=age) as cluster:
        waits, end = [], time.monotonic() + options.seconds
        while time.monotonic() < end:
            waits.append(one_wait(cluster))
        waits.sort()
        at = lambda part: waits[min(len(waits) - 1, int(len(waits) * part))] * 1000
        print(f"flush age {age} s: {len(waits)} answers beside {options.rate:.0f}/s; answered to queryable "
              f"p50 {at(0.5):.0f} ms, p90 {at(0.9):.0f} ms, p99 {at(0.99):.0f} ms, most {waits[-1] * 1000:.0f} ms", flush=True)


def one_wait(cluster):
    """From the answer's last byte to the first SQL answer that has its outcome; the query's own time is part of it."""
    request_id = ask(cluster)
    answered = time.monotonic()
    while cluster.number(f"select count(*) from outcomes where request_id = '{request_id}'") != 1:
        if time.monotonic() - answered > 60:
            sys.exit(f"request {request_id} is not in SQL after a minute")
    return time.monotonic() - answered


def ask(cluster):
    body = {"model": "docs.summarise", "messages": [{"role": "user", "content": "simulate: input_tokens=10 output_tokens=10"}]}
    headers = {"authorization": f"Bearer {cluster.keys['acme']}", "content-type": "application/json"}
    status, text = http(cluster.gateways[0].url + "/v1/chat/completions", json.dumps(body).encode(), 30, headers)
    if status != 200:
        sys.exit(f"{status}: {text}")
    return json.loads(text)["id"].removeprefix("chatcmpl-")


def without_ingest(options):
    """The follower holds no more than it may, says that the lake is behind, and answers again when it is not."""
    tail_mib = 128
    with Running(options, flush_seconds=5, query=f"tail_mib = {tail_mib}") as cluster:
        before = memory_mib(cluster.query)
        for ingest in cluster.ingests:
            ingest.stop()
        end, most, held, behind = time.monotonic() + options.away * 60, before, 0.0, 0
        while time.monotonic() < end:
            time.sleep(5)
            most = max(most, memory_mib(cluster.query))
            held = max(held, figure(cluster.query, "custody_query_tail_bytes") / 2**20)
            status, text = http(cluster.query.url + "/sql", b"select count(*) from events where kind = 'outcome'", 60)
            behind += status == 503 and "lake_behind" in text
        lag = figure(cluster.gateways[0], "custody_journal_durable_position")
        for ingest in cluster.ingests:
            ingest.start()
        began = time.monotonic()
        while http(cluster.query.url + "/sql", b"select 1 from events limit 1", 60)[0] != 200:
            time.sleep(0.5)
        print(f"ingest away {options.away} min: tail held at most {held:.0f} of {tail_mib} MiB, process {before:.0f} to {most:.0f} MiB; "
              f"{lag:.0f} events by then; {behind} questions refused as lake_behind; answers again {time.monotonic() - began:.1f} s after "
              "ingest is back", flush=True)


class Running:
    """A small cluster under load."""

    def __init__(self, options, flush_seconds, query=""):
        self.work = Path(tempfile.mkdtemp(prefix="custody-freshness-"))
        self.cluster = Cluster(options.binary, self.work, gateways=1, ingests=2, flush_seconds=flush_seconds, more=query)
        self.rate = options.rate

    def __enter__(self):
        self.cluster.start()
        trace = self.work / "trace.csv"
        rows = [f"{n / self.rate:.4f},acme,any,100,20" for n in range(TRACE_ROWS)]
        trace.write_text("\n".join(["ts_s,tenant,model,input_tokens,output_tokens", *rows]) + "\n")
        command = [self.cluster.binary, "replay", trace, "--url", self.cluster.urls(), "--key", self.cluster.keys["acme"]]
        self.load = subprocess.Popen([*command, "--speed", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)
        return self.cluster

    def __exit__(self, *_):
        self.load.kill()
        self.load.wait()
        self.cluster.kill_all()
        shutil.rmtree(self.work)


def memory_mib(part):
    line = next(line for line in open(f"/proc/{part.process.pid}/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def figure(part, name):
    _, text = http(part.url + "/metrics")
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


if __name__ == "__main__":
    main()
