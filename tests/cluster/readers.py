#!/usr/bin/env python3
"""Two readers from outside, Python `deltalake` and DuckDB, read the lake on S3 while gateways write, ingest commits every second,
compaction runs all the time and vacuum now and then. No snapshot may show a wrong count.

Of each snapshot:
  - rows of a log partition == the partition's position that the same version records: log positions 0 to position - 1, each once
  - rows of a source == its distinct seqs == max(seq) - min(seq) + 1, and a source is in one partition: nothing twice, no hole
  - rows == rows of the live files as the version's own log entries count them
  - every reading of one version gives the same figures, sums of tokens and cost included, whichever reader it is and however late
  - a later version never has fewer rows
At the end `custody sql`, both readers and sums worked out from the trace alone must agree exactly.

A position counts records, and dropped duplicates and dead letters are records without rows. Nothing here makes any, so the first rule
is checked without an allowance, and the counters of both must be zero at the end.

Usage: readers.py BINARY TRACE [--minutes M] [--kills] [--keep]    (with the packages of readers-requirements.txt)
"""

import argparse
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

import deltalake
import duckdb
import duckdb_ext
import pyarrow

from cluster import Cluster, Part, free_port, http

HERE = Path(__file__).resolve().parent
PREFIX = "custody/position/"
NUMBERS = ["seq", "log_position"]
AMOUNTS = ["invocation_input_tokens", "invocation_output_tokens", "cost_amount_pico"]
# Targets of compaction in turn: small ones, so that what was merged is soon merged again, and what an operator would take.
TARGETS_MIB = ["1", "4", "256"]
HOLD_SECONDS = 8

FIGURES = f"""
select log_partition, source, count(*),
    {", ".join(f"count(distinct {name}), min({name}), max({name})" for name in NUMBERS)},
    {", ".join(f"coalesce(sum({name}), 0)" for name in AMOUNTS)}
from {{}} group by log_partition, source"""


class Figures(tuple):
    """What a reader found in a snapshot: a row for each partition and source, in order."""

    @staticmethod
    def of(rows):
        return Figures(sorted((row[0], row[1], *map(int, row[2:])) for row in rows))

    @property
    def rows(self):
        return sum(row[2] for row in self)

    def totals(self):
        """Rows, input tokens, output tokens, dollars."""
        tokens_in, tokens_out, pico = (sum(row[place] for row in self) for place in (9, 10, 11))
        return self.rows, tokens_in, tokens_out, Decimal(pico).scaleb(-12)


class Log:
    """The table's own log, read entry by entry as plain JSON: what must hold at each version, without any Delta library."""

    def __init__(self, uri):
        self.uri, self.connection, self.lock = uri, connect(), threading.Lock()
        self.states, self.operations, self.live, self.positions = [], [], {}, {}

    def head(self):
        """The newest version; takes in all entries up to it."""
        with self.lock:
            while (entry := self._entry(len(self.states))) is not None:
                self._apply(entry)
            return len(self.states) - 1

    def state(self, version):
        """Positions and live rows at a version."""
        if version >= len(self.states):
            self.head()
        return self.states[version]

    def last_checkpoint(self):
        with self.lock:
            pointer = self._read("_last_checkpoint")
        return json.loads(pointer)["version"] if pointer else None

    def _entry(self, version):
        return self._read(f"{version:020}.json")

    def _read(self, name):
        try:
            return self.connection.execute("select content from read_text(?)", [f"{self.uri}/_delta_log/{name}"]).fetchone()[0]
        except duckdb.Error as error:
            if "404" in str(error) or "No files found" in str(error):
                return None
            raise

    def _apply(self, entry):
        for action in map(json.loads, entry.splitlines()):
            if add := action.get("add"):
                self.live[add["path"]] = json.loads(add["stats"])["numRecords"]
            elif remove := action.get("remove"):
                del self.live[remove["path"]]
            elif (txn := action.get("txn")) and txn["appId"].startswith(PREFIX):
                self.positions[txn["appId"].removeprefix(PREFIX)] = txn["version"]
            elif info := action.get("commitInfo"):
                self.operations.append(info["operation"])
        self.states.append((dict(self.positions), sum(self.live.values())))


class Judge:
    """Holds every reading against the log and against the other readings."""

    def __init__(self, log):
        self.log, self.lock = log, threading.Lock()
        self.by_version, self.first_reader, self.counts, self.violations = {}, {}, {}, []
        self.agreed = self.agreed_across = 0

    def of_version(self, reader, kind, version, figures):
        """A reading of which the version is known."""
        with self.lock:
            self._count(reader, kind)
            for fault in faults(figures, *self.log.state(version)):
                self.violation(f"{reader} ({kind}), version {version}: {fault}")
            known = self.by_version.setdefault(version, figures)
            first = self.first_reader.setdefault(version, reader)
            if known is figures:
                return
            if known != figures:
                self.violation(f"{reader} ({kind}), version {version}: {figures} but {first} read {known}")
            self.agreed += 1
            self.agreed_across += first != reader

    def of_some_version(self, reader, kind, oldest, newest, figures):
        """A reading of one of these versions: the reader doesn't say of which."""
        with self.lock:
            self._count(reader, kind)
            found = [list(faults(figures, *self.log.state(version))) for version in range(oldest, newest + 1)]
            if all(found):
                self.violation(f"{reader} ({kind}), none of the versions {oldest} to {newest}: as {newest}: {found[-1]}")

    def same(self, reader, before, after):
        with self.lock:
            if before != after:
                self.violation(f"{reader}: one snapshot read twice: {before}, then {after}")

    def in_order(self):
        """A later version never has fewer rows."""
        versions = sorted(self.by_version)
        for older, newer in zip(versions, versions[1:]):
            if self.by_version[newer].rows < self.by_version[older].rows:
                self.violation(f"version {older} has {self.by_version[older].rows} rows, version {newer} {self.by_version[newer].rows}")

    def violation(self, text):
        self.violations.append(text)
        print(f"VIOLATION {text}", flush=True)

    def _count(self, reader, kind):
        self.counts[reader, kind] = self.counts.get((reader, kind), 0) + 1


def faults(figures, positions, live_rows):
    """What is wrong with a reading, given the positions and the rows that the version's log entries tell."""
    if figures.rows != live_rows:
        yield f"{figures.rows} rows, the live files have {live_rows}"
    for partition in sorted(positions.keys() | {row[0] for row in figures}):
        mine = [row for row in figures if row[0] == partition]
        rows, position = sum(row[2] for row in mine), positions.get(partition, 0)
        if rows != position or mine and (min(row[7] for row in mine), max(row[8] for row in mine)) != (0, position - 1):
            yield f"partition {partition}: {rows} rows, position {position}: {mine}"
    if len({row[1] for row in figures}) != len(figures):
        yield f"a source is in two partitions: {figures}"
    for _, source, rows, seqs, first, last, distinct_positions, *_ in figures:
        if not rows == seqs == distinct_positions == last - first + 1 or first != 1:
            yield f"source {source}: {rows} rows, {seqs} seqs from {first} to {last}, {distinct_positions} positions"


def connect():
    """A DuckDB that can read Delta on this S3, by extensions that are installed already."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 2})
    for name in ("httpfs", "delta"):
        [path] = [path for folder in duckdb_ext.__path__ for path in glob.glob(f"{folder}/**/{name}.duckdb_extension", recursive=True)]
        connection.load_extension(path)
    scheme, endpoint = os.environ["CUSTODY_TEST_S3_ENDPOINT"].split("://")
    connection.execute(
        f"""create secret (type s3, key_id '{os.environ["AWS_ACCESS_KEY_ID"]}', secret '{os.environ["AWS_SECRET_ACCESS_KEY"]}',
        region 'us-east-1', endpoint '{endpoint}', url_style 'path', use_ssl {scheme == "https"})"""
    )
    return connection


class DeltaReader:
    """Python `deltalake`: its own query engine and, in turn, its file list with Arrow's Parquet reader."""

    name = "deltalake"

    def __init__(self, uri, log, judge):
        self.uri, self.log, self.judge, self.turn = uri, log, judge, 0
        self.handle = self.open()

    def open(self, version=None):
        endpoint = os.environ["CUSTODY_TEST_S3_ENDPOINT"]
        options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}
        return deltalake.DeltaTable(self.uri, version=version, storage_options=options)

    def read_once(self):
        kind = ("new handle", "handle brought up to date", "older version")[self.turn % 3]
        self.read(self.table(kind), kind)

    def hold_once(self):
        """A snapshot that is read only after others committed, compacted and vacuumed."""
        table = self.open()
        time.sleep(HOLD_SECONDS)
        self.read(table, "held snapshot")

    def read(self, table, kind):
        version, with_arrow = table.version(), self.turn % 2 == 1
        self.turn += 1
        figures = (self.by_arrow if with_arrow else self.by_query)(table)
        self.judge.of_version(self.name, f"{kind}, {'Arrow' if with_arrow else 'its SQL'}", version, figures)
        positions = self.log.state(version)[0]
        told = {partition: table.transaction_version(PREFIX + partition) for partition in positions}
        if told != positions:
            self.judge.violation(f"deltalake, version {version}: transactions {told}, the log's entries say {positions}")

    def table(self, kind):
        if kind == "handle brought up to date":
            self.handle.update_incremental()
            return self.handle
        if kind == "older version":
            return self.open(random.randint(0, self.log.head()))
        return self.open()

    def by_query(self, table):
        found = deltalake.QueryBuilder().register("events", table).execute(FIGURES.format("events")).read_all()
        return Figures.of(rows_of(pyarrow.table(found)))

    def by_arrow(self, table):
        columns = ["log_partition", "source", *NUMBERS, *AMOUNTS]
        rows = table.to_pyarrow_dataset().to_table(columns=columns)
        wanted = [([], "count_all")]
        wanted += [(name, how) for name in NUMBERS for how in ("count_distinct", "min", "max")]
        wanted += [(name, "sum") for name in AMOUNTS]
        found = rows.group_by(["log_partition", "source"]).aggregate(wanted)
        names = ["log_partition", "source", *("_".join([name, how] if name else [how]) for name, how in wanted)]
        return Figures.of([value or 0 for value in row] for row in rows_of(found.select(names)))


def rows_of(table):
    return zip(*(column.to_pylist() for column in table.columns))


class DuckReader:
    """DuckDB, by `delta_scan` and by an attached table at a version."""

    name = "duckdb"

    def __init__(self, uri, log, judge):
        self.uri, self.log, self.judge, self.turn = uri, log, judge, 0
        self.connection = connect()
        self.rows_before = 0

    def read_once(self):
        (self.scan, self.newest_version, self.older_version)[self.turn % 3]()
        self.turn += 1

    def figures(self, table):
        return Figures.of(self.connection.execute(FIGURES.format(table)).fetchall())

    def scan(self):
        """The newest version, whichever that is; later ones have no fewer rows."""
        oldest = self.log.head()
        figures = self.figures(f"delta_scan('{self.uri}')")
        self.judge.of_some_version(self.name, "delta_scan", oldest, self.log.head(), figures)
        if figures.rows < self.rows_before:
            self.judge.violation(f"duckdb: {figures.rows} rows after {self.rows_before}")
        self.rows_before = figures.rows

    def hold_once(self):
        """A snapshot that is read at once, and again after others committed, compacted and vacuumed."""
        oldest = self.log.head()
        self.connection.execute(f"attach '{self.uri}' as held (type delta, pin_snapshot)")
        figures = self.figures("held")
        newest = self.log.head()
        time.sleep(HOLD_SECONDS)
        self.judge.same(self.name, figures, self.figures("held"))
        self.connection.execute("detach held")
        self.judge.of_some_version(self.name, "held snapshot, twice", oldest, newest, figures)

    def newest_version(self):
        self.at(self.log.head(), "newest version")

    def older_version(self):
        """Such as the other reader read, where it did."""
        self.at(random.choice(list(self.judge.by_version) or [self.log.head()]), "older version")

    def at(self, version, kind):
        self.connection.execute(f"attach '{self.uri}' as pinned (type delta, version {version}, pin_snapshot)")
        figures = self.figures("pinned")
        self.connection.execute("detach pinned")
        self.judge.of_version(self.name, kind, version, figures)


class Upkeep:
    """Compaction by hand, all the time, beside the one that ingest does each minute; and vacuum now and then."""

    def __init__(self, cluster):
        self.cluster, self.turn, self.left, self.vacuums, self.last_vacuum = cluster, 0, 0, 0, ""

    def run_once(self):
        config = ["--config", str(self.cluster.config)]
        compacted = self.cluster.run("lake", "compact", *config, "--target-size", TARGETS_MIB[self.turn % len(TARGETS_MIB)])
        self.left += "are left as they are" in compacted.stdout
        if self.turn % 10 == 0:
            self.last_vacuum = self.cluster.run("lake", "vacuum", *config, "--keep", "1").stdout.strip()
            self.vacuums += 1
        self.turn += 1
        time.sleep(2)


class Background:
    """Repeats something in a thread until it is over. Whatever is raised counts as a violation: a reader must be able to read."""

    def __init__(self, name, once, judge):
        self.name, self.once, self.judge, self.over = name, once, judge, threading.Event()
        self.thread = threading.Thread(target=self.repeat, daemon=True)
        self.thread.start()

    def repeat(self):
        while not self.over.is_set():
            try:
                self.once()
            except Exception as error:  # noqa: BLE001
                self.judge.violation(f"{self.name} failed: {type(error).__name__}: {error}")
                time.sleep(1)

    def finish(self):
        self.over.set()
        self.thread.join()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("trace")
    options.add_argument("--minutes", type=float, default=5, help="how long to begin new replays")
    options.add_argument("--speed", default="60", help="of the replay; slow enough that many small files come, not few large ones")
    options.add_argument("--kills", action="store_true", help="kill -9 of an ingest during each replay, and start it again")
    options.add_argument("--keep", action="store_true", help="keep the folder with logs")
    options = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-readers-"))
    cluster = Cluster(options.binary, work, gateways=2, ingests=2, flush_seconds=1).start()
    try:
        give_each_ingest_work(cluster)
        return watch(cluster, options)
    finally:
        cluster.kill_all()
        if options.keep:
            print(f"logs are in {work}")
        else:
            shutil.rmtree(work)


def give_each_ingest_work(cluster):
    """A gateway is one source and so in one partition. Two ingests that commit against each other need sources in partitions of both."""
    while not all(has_stored(ingest) for ingest in cluster.ingests):
        number = len(cluster.gateways)
        if number == 10:
            raise RuntimeError("ten sources, and all are in partitions of one ingest")
        more = ["gateway", "--data-dir", str(cluster.work / f"gateway{number}")]
        cluster.gateways.append(Part(cluster, f"gateway{number}", more, free_port()).start())
    print(f"{len(cluster.gateways)} gateways, {len(cluster.ingests)} ingests with work of their own")


def has_stored(ingest, patience=10):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if metric(ingest, "rows_total") > 0:
            return True
        time.sleep(0.2)
    return False


def metric(ingest, name):
    lines = http(ingest.url + "/metrics")[1].splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"custody_ingest_{name} "))


def watch(cluster, options):
    uri = f"s3://{os.environ['CUSTODY_TEST_S3_BUCKET']}/{cluster.name}/events"
    log = Log(uri)
    judge = Judge(log)
    upkeep = Upkeep(cluster)
    # Those that hold a snapshot mostly wait, so they are readers of their own.
    (delta, holding_delta), (duck, holding_duck) = ([kind(uri, log, judge) for _ in range(2)] for kind in (DeltaReader, DuckReader))
    print(f"deltalake {deltalake.__version__}, duckdb {duckdb.__version__}, pyarrow {pyarrow.__version__}: {uri}", flush=True)
    work = {
        "deltalake": delta.read_once,
        "deltalake, holding": holding_delta.hold_once,
        "duckdb": duck.read_once,
        "duckdb, holding": holding_duck.hold_once,
        "upkeep": upkeep.run_once,
    }
    loops = [Background(name, once, judge) for name, once in work.items()]
    began = time.monotonic()
    complete, rounds = load(cluster, options, judge)
    load_minutes = (time.monotonic() - began) / 60
    stop(cluster.gateways, judge)
    drain(cluster, log, judge)
    stop(cluster.ingests, judge)
    for loop in loops:
        loop.finish()
    report(log, judge, upkeep, load_minutes, rounds)
    return 0 if finally_equal(cluster, options, rounds, delta, duck) and complete and not judge.violations else 1


def stop(parts, judge):
    for part in parts:
        if part.stop() != 0:
            judge.violation(f"{part.name} ended badly: {part.tail()}")


def drain(cluster, log, judge, patience=120):
    """Waits until the lake has all that lake and log together have. An ingest that stops commits what it has read, not what it has not."""
    wanted, end = by_sql(cluster)[0], time.monotonic() + patience
    while (stored := log.state(log.head())[1]) != wanted:
        if time.monotonic() > end:
            judge.violation(f"the lake has {stored} of {wanted} rows {patience} s after the gateways stopped")
            return
        time.sleep(0.5)


def load(cluster, options, judge):
    """Replays the trace again and again, each time to its end, so that its sums are known."""
    complete, rounds, end = True, 0, time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        replay = subprocess.Popen(
            [cluster.binary, "replay", options.trace, "--url", cluster.urls(), "--key", cluster.keys["acme"], "--speed", options.speed,
             "--concurrency", "32", "--run", f"round{rounds}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if options.kills:
            time.sleep(10)
            ingest = cluster.ingests[rounds % len(cluster.ingests)]
            ingest.kill()
            ingest.start()
        said = replay.communicate()[0].strip().splitlines()[-1:]
        complete &= replay.returncode == 0
        rounds += 1
        dropped = [metric(ingest, name) for ingest in cluster.ingests for name in ("duplicates_total", "dead_letters_total")]
        if any(dropped):
            judge.violation(f"duplicates and dead letters, by ingest: {dropped}")
        print(f"round {rounds}: {' '.join(said)}; version {judge.log.head()}, violations {len(judge.violations)}", flush=True)
    return complete, rounds


def report(log, judge, upkeep, minutes, rounds):
    judge.in_order()
    versions = log.head() + 1
    merges = log.operations.count("OPTIMIZE")
    print(f"{rounds} replays in {minutes:.1f} minutes; {versions} versions, of these {merges} compactions; "
          f"last checkpoint {log.last_checkpoint()}; {len(log.live)} live files now")
    print(f"custody lake compact {upkeep.turn} times, of these {upkeep.left} overtaken by others; "
          f"vacuum {upkeep.vacuums} times, the last: {' | '.join(upkeep.last_vacuum.splitlines())}")
    for (reader, kind), count in sorted(judge.counts.items()):
        print(f"  {reader}: {count} snapshots by {kind}")
    print(f"versions read: {len(judge.by_version)}; read again: {judge.agreed}, of these by the other reader: {judge.agreed_across}")
    print(f"violations: {len(judge.violations)}")


def finally_equal(cluster, options, rounds, delta, duck):
    """All is drained: both readers, `custody sql` and the trace itself."""
    table = delta.open()
    found = {
        "deltalake, its SQL": delta.by_query(table).totals(),
        "deltalake, Arrow": delta.by_arrow(table).totals(),
        "duckdb": duck.figures(f"delta_scan('{duck.uri}')").totals(),
        "custody sql": by_sql(cluster),
    }
    of_trace = by_trace(cluster, options, rounds)
    for name, totals in found.items():
        print(f"{name}: rows {totals[0]}, input tokens {totals[1]}, output tokens {totals[2]}, dollars {totals[3]}")
    print(f"the trace {rounds} times: input tokens {of_trace[0]}, output tokens {of_trace[1]}, dollars {of_trace[2]}")
    equal = len(set(found.values())) == 1 and found["duckdb"][1:] == of_trace
    print("EQUAL" if equal else "DIFFER")
    return equal


def by_sql(cluster):
    statement = """select (select count(*) from events), (select sum(input_tokens) from invocations),
        (select sum(output_tokens) from invocations), (select cast(sum(cost_usd) as varchar) from costs)"""
    answer = cluster.run("sql", "--config", str(cluster.config), "--format", "csv", statement).stdout
    rows, tokens_in, tokens_out, dollars = answer.splitlines()[1].split(",")
    return int(rows), int(tokens_in), int(tokens_out), Decimal(dollars)


def by_trace(cluster, options, rounds):
    book = next((cluster.work / "seed/workspace/prices").glob("*.toml"))
    sums = subprocess.run(
        [sys.executable, HERE.parent / "oracle/sums.py", options.trace, "--book", book, "--provider", "simulator", "--model", "sim-small",
         "--tenant", "acme"], capture_output=True, text=True, check=True).stdout
    _, _, tokens_in, tokens_out, dollars = sums.splitlines()[1].split(",")
    return int(tokens_in) * rounds, int(tokens_out) * rounds, Decimal(dollars) * rounds


if __name__ == "__main__":
    sys.exit(main())
