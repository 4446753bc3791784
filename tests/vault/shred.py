#!/usr/bin/env python3
"""Forgetting, seen by an attacker who took copies before.

Texts of three persons of two tenants are kept. Everything is copied: lake, content journal, claim checks, wrapped keys, the root. Then a
person is erased, then a tenant; then the day of the edge key ends, then the wrapping keys are rotated. At each point every set of copies is put
together with what the living platform still has (all of it: the attacker is an operator), tombstones are taken away, and every text is
asked for. The table says how many of the erased texts opened. What was not erased must open from the living platform at every point.

Needs libfaketime (Debian: faketime), because a day has to end.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from house import FAKETIME, House

PERSON = "person.to.forget@example.org"
OTHER = "someone.else@example.org"
LARGE = 400 * 1024
# What is copied, and where it lies in the data folder.
PARTS = {
    "lake": ["lake"],
    "content journal": ["content"],
    "claim checks": ["vault/claims"],
    "wrapped keys": ["vault/units", "vault/edge"],
    "root": ["vault.key"],
}
ATTACKS = [
    ("lake", "claim checks"),
    ("content journal", "claim checks"),
    ("lake", "claim checks", "wrapped keys"),
    ("content journal", "claim checks", "wrapped keys"),
    ("lake", "claim checks", "wrapped keys", "root"),
    ("content journal", "claim checks", "wrapped keys", "root"),
]


class Kept:
    """A text that was asked, under a name for the table."""

    def __init__(self, whose, tenant, request, text):
        self.whose, self.tenant, self.request, self.text = whose, tenant, request, text


def ask_all(house):
    kept = []
    for whose, tenant, user in (("person", "acme", PERSON), ("tenant", "globex", OTHER), ("other", "acme", OTHER)):
        for number in range(3):
            size = LARGE // 5 if number == 2 else 80
            text = f"{whose} {number}: the parcel of order 4711 did not come. " * (1 + size // 50)
            answer = house.ask(text, tenant, "docs.summarise", user)
            assert answer.status == 200, answer.body
            kept.append(Kept(whose, tenant, answer.request_id, text.strip()))
    return kept


def opened(house, kept, whose):
    """How many of these texts can be seen."""
    seen = 0
    for one in kept:
        if one.whose == whose:
            done = house.reveal(one.request, one.tenant, "--part", "prompt")
            seen += done.returncode == 0 and one.text in done.stdout
    return seen


def attack(house, copies, parts, kept, whose, work):
    """Puts the copies of these parts into a copy of what is there now, and looks for the texts of each of `whose`."""
    made = house.copy(work / "attack")
    try:
        for part in parts:
            for place in PARTS[part]:
                remove(made / place)
                if (copies / place).exists():
                    put(copies / place, made / place)
        shutil.rmtree(made / "vault/forgotten", ignore_errors=True)
        forged = House.of_copies(house, made)
        if "content journal" in parts:
            # What the lake has of it is taken away, so that the journal is read from its beginning.
            shutil.rmtree(made / "lake/content", ignore_errors=True)
            forged.start()
            forged.stop()
        return {one: opened(forged, kept, one) for one in whose}
    finally:
        shutil.rmtree(made)


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


class Drill:
    def __init__(self, binary):
        self.work = Path(tempfile.mkdtemp(prefix="custody-shred-"))
        self.house = House(binary, self.work)
        self.rows, self.wrong = [], []

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
        self.at("before", {"person": None, "tenant": None})
        self.erase("acme", "--user", PERSON)
        self.at("person erased", {"person": 0, "tenant": None})
        self.erase("globex")
        self.at("tenant erased", {"person": 0, "tenant": 0})
        house.shift = "+240h"
        house.start()
        house.stop()
        house.run("retention", "run")
        self.at("edge day over", {"person": 0, "tenant": 0})
        # Wrapping keys that wrap nothing any more leave the key file an hour after they were replaced.
        house.run("vault", "rotate", "--all")
        house.shift = "+242h"
        house.run("vault", "rewrap")
        self.at("keys rotated", {"person": 0, "tenant": 0})

    def await_rows(self):
        end = time.monotonic() + 60
        while opened(self.house, self.kept[-1:], self.kept[-1].whose) == 0:
            if time.monotonic() > end:
                raise RuntimeError("the texts are not in the lake after a minute")
            time.sleep(1)

    def erase(self, tenant, *whom):
        done = self.house.run("erase", "--tenant", tenant, *whom, "--reason", "asked to be forgotten", "--yes")
        print(done.stdout.strip(), flush=True)

    def at(self, when, living):
        """All attacks at this point, and what the living platform itself still shows."""
        for whose in ("person", "tenant", "other"):
            seen = opened(self.house, self.kept, whose)
            expected = 3 if living.get(whose, 3) is None or whose == "other" else living[whose]
            self.note(when, "the platform itself", whose, seen)
            if seen != expected:
                self.wrong.append(f"{when}: {seen} of 3 texts of `{whose}` open from the platform itself, expected {expected}")
        for parts in ATTACKS:
            erased = [whose for whose in ("person", "tenant") if living[whose] is not None or when == "before"]
            for whose, seen in attack(self.house, self.copies, parts, self.kept, erased, self.work).items():
                self.note(when, " + ".join(parts), whose, seen)

    def note(self, when, how, whose, seen):
        self.rows.append((when, how, whose, seen))
        print(f"  {when:16} {whose:7} {how:60} {seen} of 3 open", flush=True)

    def judge(self):
        """What the certificate promises, as cells of the table."""
        def cell(when, how, whose):
            return next(row[3] for row in self.rows if row[:3] == (when, how, whose))
        lake, stream = " + ".join(ATTACKS[0]), " + ".join(ATTACKS[1])
        lake_keys, stream_keys = " + ".join(ATTACKS[2]), " + ".join(ATTACKS[3])
        promises = [("tenant erased", lake, 0), ("edge day over", stream, 0), ("keys rotated", lake_keys, 0), ("keys rotated", stream_keys, 0)]
        promises += [("person erased", lake, 0)]
        for when, how, most in promises:
            for whose in ("person", "tenant"):
                if (when, whose) == ("person erased", "tenant"):
                    continue
                if cell(when, how, whose) != most:
                    self.wrong.append(f"{when}: {how}: {cell(when, how, whose)} texts of `{whose}` open, promised {most}")
        if cell("before", lake, "person") != 3 or cell("before", stream, "person") != 3:
            self.wrong.append("the attack itself does not work: before the erasure it must open everything")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    options = arguments.parse_args()
    if not FAKETIME.exists():
        sys.exit("libfaketime is missing: apt-get install faketime")
    drill = Drill(options.binary.resolve())
    drill.run()
    drill.judge()
    for line in drill.wrong:
        print(f"WRONG {line}")
    shutil.rmtree(drill.work)
    sys.exit(1 if drill.wrong else 0)


if __name__ == "__main__":
    main()
