#!/usr/bin/env python3
"""A retry storm: a thousand callers, and a Bedrock that fails. Attempts stay bounded, breakers open and close, and every attempt is recorded.

Two workspaces, each with a route that fails as often as the stub is told to and one that does not; one capability on the first alone,
one that may fall back to the second. Under the first workspace's breaker (half of the attempts) 30 % of failures are borne by retries;
then everything fails, then nothing. Under the second's (a fifth) the breaker opens and closes at 30 %. Afterwards the trail is read with
`custody sql` and compared with the stub's own count and with what the callers got. Fails on any difference.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import cases
from custody_process import Custody, capability_of
from harness import RunningStub
from storm_callers import Callers

ALONE = cases.Case("stub.failing", cases.BOTH, cases.Truth())
STEADY = cases.Case("stub.ok", cases.BOTH, cases.Truth())
GUARDED = cases.Case("stub.failing.guarded", cases.BOTH, cases.Truth())
BUDGET_PERCENT, BUDGET_PER_SECOND, MAX_ATTEMPTS = 20, 10, 3
OPEN_MS = 1000


class Phase:
    def __init__(self, name, percent, seconds):
        self.name, self.percent, self.seconds = name, percent, seconds


class Storm:
    def __init__(self, options, name, breaker_percent, phases):
        self.name, self.phases, self.callers = name, phases, options.callers
        self.work = Path(tempfile.mkdtemp(prefix=f"custody-storm-{name}-"))
        self.stub = RunningStub()
        self.custody = Custody(options.binary, self.work, self.stub.url, [ALONE, GUARDED, STEADY], attempt_timeout_ms=60_000)
        self._protect(breaker_percent)
        self.wrong = []

    def _protect(self, breaker_percent):
        main = self.custody.workspace / "custody.toml"
        main.write_text(f"{main.read_text()}\n[breaker]\nfailure_percent = {breaker_percent}\nopen_ms = {OPEN_MS}\n")
        for file in (self.custody.workspace / "capabilities").glob("case-*.toml"):
            text = file.read_text()
            if f'name = "{capability_of(GUARDED)}"' in text:
                routes = f'routes = ["{capability_of(GUARDED)}"]'
                assert routes in text
                file.write_text(text.replace(routes, f'routes = ["{capability_of(GUARDED)}", "{capability_of(STEADY)}"]'))

    def run(self):
        try:
            self.custody.start()
            began = time.time()
            totals = asyncio.run(self._phases())
            self.seconds = time.time() - began
            self.custody.stop()
            self._judge(totals)
            return self.wrong
        finally:
            self.stub.stop()
            if self.custody.process.poll() is None:
                self.custody.process.kill()
            shutil.rmtree(self.work)

    async def _phases(self):
        half = self.callers // 2
        groups = [Callers(self.custody.url, self.custody.key, capability_of(ALONE), half, "alone"),
                  Callers(self.custody.url, self.custody.key, capability_of(GUARDED), self.callers - half, "with a fallback")]
        self.stub.fail(self.phases[0].percent)
        running = [asyncio.create_task(group.run()) for group in groups]
        totals = []
        for phase in self.phases:
            await asyncio.to_thread(self.stub.fail, phase.percent)
            await asyncio.sleep(phase.seconds)
            for group in groups:
                seen = group.take()
                totals.append(seen)
                self._show(phase, group, seen)
        for group in groups:
            group.stopping = True
        await asyncio.gather(*running)
        return totals + [group.take() for group in groups]

    def _show(self, phase, group, seen):
        share = 100 * seen.answered() / max(1, seen.total())
        told = ", ".join(f"{status} {code or 'answered'}: {count}" for (status, code), count in sorted(seen.answers.items(), key=str))
        print(f"{self.name:18}{phase.name:22}{phase.percent:3} % fail  {group.name:16}{seen.total() / phase.seconds:7.0f}/s "
              f"{share:5.1f} % answered   {told}", flush=True)
        if phase.name == "nothing fails" and share < 99:
            self.wrong.append(f"{phase.name}: {share:.1f} % answered for callers {group.name}")
        if group.name == "with a fallback" and share < 60:
            self.wrong.append(f"{phase.name}: {share:.1f} % answered for callers with a fallback")

    def _judge(self, totals):
        sql = self.custody.sql
        seen = {name: sum(getattr(one, name)() for one in totals) for name in ("total", "answered")}
        cut = sum(one.cut for one in totals)
        (requests,) = sql("select count(*) as n, count(distinct request_id) as distinct_n from requests")
        outcomes = {row["class"]: row["n"] for row in sql("select class, count(*) as n from outcomes group by class")}
        self._same("requests recorded", requests["n"], seen["total"] + cut)
        self._same("outcomes recorded", sum(outcomes.values()), requests["distinct_n"])
        self._same("answered outcomes", outcomes.get("answered", 0), seen["answered"])
        self._same("callers told to come back", sum(one.retry_after[True] for one in totals), seen["total"] - seen["answered"])
        recorded = {row["model"]: row["n"] for row in sql("select model, count(*) as n from invocations group by model")}
        received = {case.name: self.stub.received(case.name) for case in (ALONE, GUARDED, STEADY)}
        for model, count in received.items():
            self._same(f"attempts on {model}", recorded.get(model, 0), count)
        self._bounds(sql, sum(recorded.values()))
        self._breakers(sql)

    def _bounds(self, sql, attempts):
        (most,) = sql("select max(attempts) as n, count(*) filter (where attempts > 0) as tried from outcomes")
        retries = attempts - most["tried"]
        bound = most["tried"] * BUDGET_PERCENT // 100 + BUDGET_PER_SECOND * (self.seconds + 10)
        (withheld,) = sql("select count(*) as n from routes where array_has(reasons, 'retry_budget')")
        print(f"{self.name:18}{most['tried']} requests tried, {attempts} attempts, {retries} of them again (bound {bound:.0f}, withheld "
              f"{withheld['n']}), at most {most['n']} a request")
        if retries > bound or most["n"] > MAX_ATTEMPTS:
            self.wrong.append(f"{retries} retries, at most {most['n']} attempts a request")

    def _breakers(self, sql):
        changes = {}
        for row in sql("select subject, action, time from controls where action like 'breaker%' order by log_partition, log_position"):
            changes.setdefault(row["subject"], []).append(row["action"])
        refused = sql("select count(*) as n from routes where array_has(reasons, 'breaker_open')")[0]["n"]
        for subject, actions in changes.items():
            print(f"{self.name:18}{subject}: opened {actions.count('breaker_opened')}, closed {actions.count('breaker_closed')}")
        print(f"{self.name:18}{refused} requests met an open breaker")
        if changes.keys() != {f"route:{capability_of(case)}" for case in (ALONE, GUARDED)}:
            self.wrong.append(f"breakers of {sorted(changes)} changed")
        for subject, actions in changes.items():
            if actions[0] != "breaker_opened" or actions[-1] != "breaker_closed" or "breaker_closed, breaker_closed" in ", ".join(actions):
                self.wrong.append(f"{subject}: {actions}")

    def _same(self, what, one, other):
        print(f"{self.name:18}{what}: {one} and {other}")
        if one != other:
            self.wrong.append(f"{what}: {one}, not {other}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--callers", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=15, help="of each phase")
    options = options.parse_args()
    seconds = options.seconds
    back = [Phase("it comes back", 0, seconds), Phase("nothing fails", 0, seconds)]
    half = [Phase("a third fails", 30, seconds), Phase("everything fails", 100, seconds), *back]
    fifth = [Phase("a third fails", 30, 2 * seconds), *back]
    wrong = Storm(options, "breaker at 50 %", 50, half).run() + Storm(options, "breaker at 20 %", 20, fifth).run()
    print("\n".join(f"WRONG: {one}" for one in wrong) or "every attempt is recorded, and none too many was made")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
