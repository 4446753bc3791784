#!/usr/bin/env python3
"""Replays a trace through a distributed Custody, with a kill -9 of a gateway and of an ingest in the middle, and compares what SQL says
with an independent script's sums over the trace and the price book.

Usage: replay.py BINARY (TRACE | --rows N) [--seconds-before-kill S] [--security plaintext|scram|tls] [--keep]
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cluster import Cluster

HERE = Path(__file__).resolve().parent

SUMS = """
with answered as (
    select request_id, client_request_id, tenant, row_number() over (partition by client_request_id order by request_id) as nth
    from outcomes where class = 'answered')
select a.tenant, count(*) as requests, sum(i.input_tokens) as input_tokens, sum(i.output_tokens) as output_tokens,
       cast(sum(c.cost_usd) as varchar) as cost_usd
from answered a join invocations i on i.request_id = a.request_id join costs c on c.request_id = a.request_id
where a.nth = 1 group by a.tenant order by a.tenant"""

UNFINISHED = """
select count(*) from (
    select request_id from events where request_id is not null
    group by 1 having sum(case when kind = 'outcome' then 1 else 0 end) <> 1)"""

HOLES = """
select count(*) from (
    select source from events group by 1
    having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*))"""


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("trace", nargs="?", help="a trace, as `custody replay` takes it")
    options.add_argument("--rows", type=int, help="instead of a trace: so many rows of three made-up tenants")
    options.add_argument("--seconds-before-kill", type=float, default=4)
    options.add_argument("--concurrency", default="32")
    options.add_argument("--security", default="plaintext", choices=["plaintext", "scram", "tls"], help="how everything reaches Kafka")
    options.add_argument("--keep", action="store_true", help="keep the folder with logs")
    options = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-cluster-"))
    options.trace = options.trace or made_up_trace(work, options.rows or 2000)
    has_tenants = "tenant" in open(options.trace).readline()
    cluster = Cluster(options.binary, work, tenants_of=options.trace if has_tenants else None, security=options.security).start()
    try:
        return compare(cluster, options, has_tenants)
    finally:
        cluster.kill_all()
        if options.keep:
            print(f"logs are in {work}")
        else:
            shutil.rmtree(work)


def made_up_trace(work, rows):
    dice = random.Random(20261121)
    lines = [f"{n / 100},tenant-{dice.randrange(3)},any,{dice.randrange(5000)},{dice.randrange(500)}" for n in range(rows)]
    trace = work / "trace.csv"
    trace.write_text("\n".join(["ts_s,tenant,model,input_tokens,output_tokens", *lines]) + "\n")
    return trace


def compare(cluster, options, has_tenants):
    keys = ["--keys", cluster.work / "keys.csv"] if has_tenants else ["--key", cluster.keys["acme"]]
    command = [cluster.binary, "replay", options.trace, "--url", cluster.urls(), *keys, "--speed", "max", "--concurrency", options.concurrency]
    began = time.monotonic()
    replay = subprocess.Popen([*command, "--run", "row"])
    time.sleep(options.seconds_before_kill)
    if replay.poll() is not None:
        sys.exit("the replay was over before the kill: use a shorter pause")
    for part in (cluster.gateways[0], cluster.ingests[0]):
        part.kill()
        part.start(wait=False)
    for part in (cluster.gateways[0], cluster.ingests[0]):
        part.wait_ready()
    complete = replay.wait() == 0
    print(f"replayed in {time.monotonic() - began:.1f} s; complete: {complete}")
    for gateway in cluster.gateways:
        if gateway.stop() != 0:
            sys.exit(f"{gateway.name}: {gateway.tail()}")

    sums = cluster.sql(SUMS)
    print(cluster.sql("select class, recovered, count(*) as requests, count(distinct client_request_id) as rows from outcomes group by 1, 2 order by 1, 2"))
    book = next((cluster.work / "seed/workspace/prices").glob("*.toml"))
    whose = [] if has_tenants else ["--tenant", "acme"]
    oracle = subprocess.run(
        ["python3", HERE.parent / "oracle/sums.py", options.trace, "--book", book, "--provider", "simulator", "--model", "sim-small", *whose],
        capture_output=True, text=True, check=True,
    ).stdout
    unfinished, holes = cluster.number(UNFINISHED), cluster.number(HOLES)
    stored_before = cluster.number("select count(*) from events")
    for ingest in cluster.ingests:
        if ingest.stop() != 0:
            sys.exit(f"{ingest.name}: {ingest.tail()}")
    status = cluster.run("lake", "status", "--config", str(cluster.config)).stdout
    print(status)
    again = cluster.sql(SUMS)
    rows = [line.split(",") for line in sums.splitlines()[1:]]
    totals = [sum(int(row[place]) for row in rows) for place in (1, 2, 3)]
    print(f"tenants {len(rows)}; requests, input and output tokens: {totals}; events {stored_before}")
    print(f"requests without exactly one outcome: {unfinished}; sources with a hole: {holes}")
    equal = sums == oracle and again == oracle
    print("EQUAL: SQL and the independent script agree on every tenant's requests, tokens and cost" if equal else f"DIFFER\n{sums}\n{oracle}")
    return 0 if complete and equal and (unfinished, holes) == (0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
