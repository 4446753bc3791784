#!/usr/bin/env python3
"""Forgetting, seen by an attacker who took copies before.

Texts of three persons of two tenants are kept. Everything is copied: lake, content journal, claim checks, wrapped keys, the root. Then a
person is erased, then a tenant; then the wrapping keys are rotated in a copy of the platform whose edge day is not over yet; then the day of
the edge key ends, then the wrapping keys are rotated there too. At each point every set of copies is put together with what the living
platform still has (all of it: the attacker is an operator), tombstones and counters of reveals are taken away, the clock is set back to the
day of the copies, and every text is asked for. The table says how many of the erased texts opened. What was not erased must open from the
living platform at every point.

The content topic holds the records of the content journal unchanged (topic.py shows it), so a copy of the journal stands for one of the topic.

Needs libfaketime (Debian: faketime), because a day has to end, and what requirements.txt names.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from house import FAKETIME, House
from segments import segments
from table import ContentTable

PERSON = "person.to.forget@example.org"
OTHER = "someone.else@example.org"
# Above `claim_above_bytes` of the rules: sealed at the edge into a claim check, and at rest into another.
LARGE = 80 * 1024
# What is copied, and where it lies in the data folder.
PARTS = {
    "lake": ["lake"],
    "content journal": ["content"],
    "claim checks": ["vault/claims"],
    "wrapped keys": ["vault/units", "vault/edge"],
    "root": ["vault.key"],
}
LAKE, STREAM = ("lake", "claim checks"), ("content journal", "claim checks")
KEYS, ROOT = ("wrapped keys",), ("wrapped keys", "root")
ATTACKS = [("lake",), ("content journal",), ("claim checks",), ROOT, LAKE, STREAM, LAKE + KEYS, STREAM + KEYS, LAKE + ROOT, STREAM + ROOT]
ERASED = ("person", "tenant")
WHOSE = (*ERASED, "other")
# Of each whose: small ones, and a large one as the last.
TEXTS = 2


class Kept:
    """A text that was asked, under a name for the table."""

    def __init__(self, whose, tenant, request, text):
        self.whose, self.tenant, self.request, self.text = whose, tenant, request, text


def ask_all(house):
    kept = []
    for whose, tenant, user in (("person", "acme", PERSON), ("tenant", "globex", OTHER), ("other", "acme", OTHER)):
        for number in range(TEXTS):
            size = LARGE if number == TEXTS - 1 else 80
            text = f"{whose} {number}: the parcel of order 4711 did not come. " * (1 + size // 50)
            answer = house.ask(text, tenant, "docs.summarise", user)
            assert answer.status == 200, answer.body
            kept.append(Kept(whose, tenant, answer.request_id, text.strip()))
    return kept


def opened(house, kept, whose):
    """How many of these texts can be seen, and what was said about the others."""
    seen, said = 0, Counter()
    for one in kept:
        if one.whose == whose:
            done = house.reveal(one.request, one.tenant, "--part", "prompt")
            if done.returncode == 0 and one.text in done.stdout:
                seen += 1
            else:
                said[(done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["nothing"])[-1][:160]] += 1
    return seen, said


def attack(house, copies, parts, kept, whose, folder):
    """Puts the copies of these parts into a copy of what is there now, and looks for the texts of each of `whose`."""
    made = house.copy(folder / "data")
    try:
        for part in parts:
            for place in PARTS[part]:
                remove(made / place)
                if (copies / place).exists():
                    put(copies / place, made / place)
        for place in ("forgotten", "reveal-rate"):
            shutil.rmtree(made / "vault" / place, ignore_errors=True)
        forged = House.of_copies(house, made)
        forged.shift = None
        if "content journal" in parts:
            # What the lake has of it is taken away, so that the journal is read from its beginning.
            shutil.rmtree(made / "lake/content", ignore_errors=True)
            forged.start()
            forged.stop()
        return {one: opened(forged, kept, one) for one in whose}
    finally:
        shutil.rmtree(folder)


def remove(place):
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def put(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def name(parts):
    return " + ".join(parts)


class Drill:
    def __init__(self, binary, at_once):
        self.work, self.at_once = Path(tempfile.mkdtemp(prefix="custody-shred-")), at_once
        self.house = House(binary, self.work)
        self.cells, self.wrong = {}, []

    def run(self):
        house = self.house
        # Claim checks of the edge go with the commit of their rows: the attacker was there before ingest.
        house.start(flush_age=3600)
        self.kept = ask_all(house)
        house.kill()
        early = house.copy(self.work / "early")
        house.start()
        self.await_rows()
        house.stop()
        self.copies = house.copy(self.work / "copies")
        shutil.copytree(early / "vault/claims/edge", self.copies / "vault/claims/edge", dirs_exist_ok=True)
        self.count_copies()
        self.at("before", house, ())
        self.erase("acme", "--user", PERSON)
        self.at("person erased", house, ("person",))
        self.erase("globex")
        self.at("tenant erased", house, ERASED)
        self.at("keys rotated, edge day not over", self.rotated(House.of_copies(house, house.copy(self.work / "earlier/data")), "+2h"), ERASED)
        house.shift = "+240h"
        house.start()
        house.stop()
        house.run("retention", "run")
        self.at("edge day over", house, ERASED)
        self.at("edge day over, keys rotated", self.rotated(house, "+242h"), ERASED)

    @staticmethod
    def rotated(house, an_hour_later):
        """Wrapping keys that wrap nothing any more leave the key file an hour after they were replaced."""
        house.run("vault", "rotate", "--all")
        house.shift = an_hour_later
        house.run("vault", "rewrap")
        return house

    def await_rows(self):
        end = time.monotonic() + 60
        while opened(self.house, self.kept[-1:], self.kept[-1].whose)[0] == 0:
            if time.monotonic() > end:
                raise RuntimeError("the texts are not in the lake after a minute")
            time.sleep(1)

    def count_copies(self):
        """Every kind of copy must have something in it, claim checks of both kinds for each of `WHOSE`."""
        def count(pattern):
            return sum(1 for file in self.copies.glob(pattern) if file.is_file())
        records = [record for segment in segments(self.copies / "content") for record in segment.records()]
        large = {record["request_id"] for record in records if record["claim"] and record["part"] == "prompt"}
        at_rest = {row["request_id"] for row in ContentTable(self.copies / "lake/content").rows() if row["claim"] and row["part"] == "prompt"}
        print(f"copies: {count('lake/content/**/*.parquet')} files of texts; {len(records)} records of the content journal; claim checks: "
              f"{count('vault/claims/edge/**/*')} of the edge, {count('vault/claims/rest/**/*')} at rest; wrapped keys: "
              f"{count('vault/edge/*.key')} of days, {count('vault/units/**/*')} of units; {count('vault.key')} key file", flush=True)
        wanted = {kept.request for kept in self.kept if len(kept.text) > LARGE // 2}
        if not (len(wanted) == len(WHOSE) and wanted <= large and wanted <= at_rest):
            self.wrong.append(f"large texts are no claim checks: {len(wanted & large)} at the edge, {len(wanted & at_rest)} at rest of {len(wanted)}")

    def erase(self, tenant, *whom):
        done = self.house.run("erase", "--tenant", tenant, *whom, "--reason", "asked to be forgotten", "--yes")
        print(done.stdout.strip(), flush=True)

    def at(self, when, house, erased):
        """All attacks at this point, and what the living platform itself still shows. Before the erasures each attack must work."""
        for whose in WHOSE:
            self.note(when, "the platform itself", whose, opened(house, self.kept, whose), 0 if whose in erased else TEXTS)
        with ThreadPoolExecutor(self.at_once) as attackers:
            doing = [attackers.submit(attack, house, self.copies, parts, self.kept, erased or ERASED, self.work / f"attack{at}")
                     for at, parts in enumerate(ATTACKS)]
            for parts, done in zip(ATTACKS, doing):
                for whose, seen in done.result().items():
                    self.note(when, name(parts), whose, seen, promised(when, parts, whose) if erased else at_first(parts))

    def note(self, when, how, whose, seen, expected):
        seen, said = seen
        self.cells[when, how, whose] = seen
        print(f"  {when:32} {whose:7} {how:52} {seen} of {TEXTS} open {dict(said) or ''}", flush=True)
        if expected is not None and seen != expected:
            self.wrong.append(f"{when}: {how}: {seen} of {TEXTS} texts of `{whose}` open, expected {expected}")

    def table(self):
        """One line a way, one column a point in time: texts of the erased person / of the erased tenant that opened."""
        times = list(dict.fromkeys(when for when, _, _ in self.cells))
        print(f"\n{'person / tenant, of ' + str(TEXTS):52} | " + " | ".join(times))
        for how in dict.fromkeys(how for _, how, _ in self.cells):
            line = ["/".join(str(self.cells.get((when, how, whose), "-")) for whose in ERASED).center(len(when)) for when in times]
            print(f"{how:52} | " + " | ".join(line))


def at_first(parts):
    """Before anything is erased: all, save what the edge put into claim checks that went with the commit of their rows."""
    return TEXTS - 1 if parts == ("content journal",) else TEXTS


def promised(when, parts, whose):
    """What the certificate and docs/RETENTION.md say of a cell after the erasure of `whose`; nothing where they promise nothing."""
    rotated, day_over = "rotated" in when, "day over" in when
    if "root" in parts and parts != ROOT:
        # Who took the key file too opens what he took: this shows that the attack works.
        return TEXTS
    lake_is_closed = "wrapped keys" not in parts or "lake" not in parts or rotated or whose == "tenant"
    stream_is_closed = "content journal" not in parts or (day_over and ("wrapped keys" not in parts or rotated))
    return 0 if lake_is_closed and stream_is_closed else None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    arguments.add_argument("--at-once", type=int, default=4, help="attacks that run beside each other")
    options = arguments.parse_args()
    if not FAKETIME.exists():
        sys.exit("libfaketime is missing: apt-get install faketime")
    drill = Drill(options.binary.resolve(), options.at_once)
    drill.run()
    drill.table()
    for line in drill.wrong:
        print(f"WRONG {line}")
    shutil.rmtree(drill.work)
    sys.exit(1 if drill.wrong else 0)


if __name__ == "__main__":
    main()
