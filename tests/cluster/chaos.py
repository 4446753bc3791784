#!/usr/bin/env python3
"""Faults, one after the other and sometimes two at once, on a distributed Custody under load; then what is kept is checked.

    cargo xtask services up --brokers 3 --processes --dir FOLDER
    tests/cluster/chaos.py BINARY --services FOLDER [--faults N] [--seed S] [--minutes M]

The seed decides the faults and their lengths; threads and disks still make each run its own. Written to --out: faults.csv, series.csv
(each second), freshness.csv, answers.txt, the parts' logs, and plot.png where matplotlib is installed.

More is possible with more rights. Network cuts need root and a network namespace in which services and test run:

    ip netns add chaos && ip netns exec chaos ip link set lo up && ip netns exec chaos …

A broker's full disk needs that broker's `log` folder on a small disk: stop it, mount a tmpfs there with the folder's content, start it.
Stepped clocks need libfaketime. What is left out is said.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlparse

from check import HOLES, TWICE, Check
from cluster import Cluster, http as get
from faults import Faults, Services
from load import JOURNAL_CAPABILITY, Load, Watch, figures
from proxy import PASS, Proxy

def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--services", required=True, metavar="FOLDER", help="folder of `cargo xtask services up --dir`")
    options.add_argument("--services-command", default="cargo xtask services", help="what starts and stops them")
    options.add_argument("--faults", type=int, default=100)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--minutes", type=float, default=60, help="no new fault after so many")
    options.add_argument("--callers", type=int, default=20)
    options.add_argument("--only", help="kinds of faults, with commas between")
    options.add_argument("--out", help="where results and logs go; default: a new temporary folder")
    options = options.parse_args()
    options.seed = random.randrange(10**6) if options.seed is None else options.seed
    work = Path(options.out or tempfile.mkdtemp(prefix="custody-chaos-")).resolve()
    print(f"seed {options.seed}; results in {work}", flush=True)
    environment(options.services)
    services = Services(options.services_command.split(), options.services)
    address = urlparse(os.environ["CUSTODY_TEST_S3_ENDPOINT"])
    proxy = Proxy(address.hostname, address.port)
    os.environ["CUSTODY_TEST_S3_ENDPOINT"] = f"http://127.0.0.1:{proxy.port}"
    cluster = Cluster(options.binary, work, replication=3)
    # One capability waits for the log, the other for the journal only.
    settings = work / "seed/workspace/custody.toml"
    settings.write_text(settings.read_text().replace('ack_log_from = "regulated"', 'ack_log_from = "customer"'))
    try:
        return Run(options, work, cluster, services, proxy).run()
    finally:
        cluster.kill_all()


def environment(folder):
    """What `cargo xtask services env` prints."""
    for line in (Path(folder) / "env.sh").read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        os.environ[name] = value


class Run:
    def __init__(self, options, work, cluster, services, proxy):
        self.options, self.work, self.cluster, self.services, self.proxy = options, work, cluster, services, proxy
        self.dice = random.Random(options.seed)
        self.load = Load(cluster, options.callers, work / "answers.txt")
        self.watch = Watch(cluster, self.load, {"holes": HOLES, "twice": TWICE})
        self.faults = Faults(cluster, services, proxy, self.load, self.dice, self.say)
        self.done, self.violations = [], []

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def run(self):
        self.cluster.start()
        self.load.start()
        self.watch.start()
        time.sleep(10)
        try:
            self.inflict()
        finally:
            self.heal()
        self.say("faults are over")
        time.sleep(15)
        self.load.finish()
        self.drain()
        self.watch.finish()
        self.check()
        self.write()
        self.table()
        return self.verdict()

    def inflict(self):
        only = self.options.only.split(",") if self.options.only else None
        end = time.monotonic() + self.options.minutes * 60
        for number, (kind, fault) in enumerate(self.faults.sequence(self.options.faults, only), 1):
            if time.monotonic() > end:
                self.say(f"time is over after {number - 1} faults")
                return
            self.one(number, kind, fault)
            time.sleep(self.dice.uniform(3, 6))

    def one(self, number, kind, fault):
        began = time.time()
        other = self.faults.meanwhile(kind)
        self.say(f"fault {number}: {kind}" + (f", {other[0]}" if other else ""))
        try:
            beside = threading.Thread(target=other[1]) if other else None
            if beside:
                beside.start()
            fault()
            if beside:
                beside.join()
            self.faults.settle()
        except Exception as error:
            # The fault could not be done or undone, or a part did not come back: in any case not what was meant.
            self.faults.violations.append(f"fault {number}, {kind}: {error}")
            self.say(f"  {traceback.format_exc()}")
        counts = self.load.counts(began, time.time())
        total = Counter()
        for (_, code), times in counts.items():
            total[code] += times
        for name in [kind, *([other[0]] if other else [])]:
            self.done.append((number, name, began, time.time(), total))
        self.say(f"  {time.time() - began:.0f} s; {dict(total)}")

    def heal(self):
        self.proxy.set(PASS)
        for name in [*self.services.brokers, "s3"]:
            self.services.start(name)
        for part in self.cluster.parts:
            if part.process:
                part.process.send_signal(signal.SIGCONT)
        self.faults.settle()

    def drain(self):
        """In the order of the data's way; nothing may be left anywhere."""
        for gateway in self.cluster.gateways:
            if (code := gateway.stop(120)) != 0:
                self.violations.append(f"{gateway.name} ended with {code}: {gateway.tail()}")
        until, quiet = time.monotonic() + 180, 0
        while quiet < 3 and time.monotonic() < until:
            seen = [figures(get(ingest.url + "/metrics")[1]) for ingest in self.cluster.ingests]
            lag = [one.get("custody_ingest_lag_records", 0) + one.get("custody_ingest_lag_unknown_partitions", 0) for one in seen]
            held = sum(one.get("custody_ingest_partitions", 0) for one in seen)
            quiet = quiet + 1 if held >= 12 and not any(lag) else 0
            time.sleep(1)
        if quiet < 3:
            self.violations.append(f"ingest still lags after three minutes: {lag}")
        for task in self.faults.background:
            task.wait(300)

    def check(self):
        check = Check(self.cluster, self.load.answered, self.say)
        wrong = self.watch.wrong_views
        asked = f"views during the faults: {self.watch.views} asked"
        check.expect(f"{asked}, {len(wrong)} with a hole or a duplicate {wrong[:5] or ''}", not wrong)
        check.everything()
        check.expect(f"request ids that two answers had: {len(self.load.same_id)}", not self.load.same_id)
        codes = {code for counts in self.load.seconds.values() for capability, code in counts if capability == JOURNAL_CAPABILITY}
        check.expect("what waits for the journal only was never refused with log_unavailable", "503 log_unavailable" not in codes)
        check.expect(f"rows {self.load.rows}, given up {self.load.given_up}", True)
        self.violations += [*self.faults.violations, *check.violations]

    def write(self):
        self.watch.write(self.work, self.load.began)
        with open(self.work / "faults.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["number", "kind", "began_s", "ended_s", "counts"])
            for number, kind, began, ended, total in self.done:
                out.writerow([number, kind, f"{began - self.load.began:.1f}", f"{ended - self.load.began:.1f}", json.dumps(total)])
        plot = subprocess.run([sys.executable, Path(__file__).with_name("plot.py"), self.work], capture_output=True, text=True)
        self.say(plot.stdout.strip() or plot.stderr.strip()[-200:])

    def table(self):
        kinds = defaultdict(lambda: [0, 0.0, Counter()])
        for _, kind, began, ended, total in self.done:
            # What was answered during the fault or just after it.
            worst = max((age for at, age in self.watch.freshness if began - 1 <= at <= ended + 3), default=0)
            row = kinds[kind]
            row[0], row[1] = row[0] + 1, max(row[1], worst)
            row[2].update({code: times for code, times in total.items() if code != "answered"})
        print(f"\n{'fault':24} {'times':>5} {'worst freshness s':>18}  refused or cut meanwhile")
        for kind, (times, worst, codes) in sorted(kinds.items()):
            print(f"{kind:24} {times:5} {worst:18.2f}  {', '.join(f'{code} {count}' for code, count in codes.most_common()) or '-'}")
        ages = sorted(age for _, age in self.watch.freshness)
        at = lambda part: ages[min(len(ages) - 1, int(len(ages) * part))]
        if ages:
            print(f"freshness s: p50 {at(0.5):.2f}, p90 {at(0.9):.2f}, p99 {at(0.99):.2f}, max {ages[-1]:.2f} over {len(ages)} markers")

    def verdict(self):
        print(f"{len(self.done)} faults, seed {self.options.seed}: {'NOTHING LOST' if not self.violations else 'VIOLATIONS'}")
        for violation in self.violations:
            print(f"  {violation}")
        return 1 if self.violations else 0


if __name__ == "__main__":
    sys.exit(main())
