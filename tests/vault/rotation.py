#!/usr/bin/env python3
"""Rotation under load: edge keys over midnight, wrapping keys of tenants and the product, the passphrase of the key file.

Callers ask without a pause while `custody vault rotate` and `rewrap` run over and over beside the platform, and while its clock passes
midnight (libfaketime), so that the edge key changes. Afterwards requests that were answered, evenly spread over days and keys, must show their
text.
Then the drill of the stolen disk: the gateway's part of the folder (journals, hash key, public keys, claim checks sealed at the edge) is
taken away; nothing in it may open, also not with a new vault of the thief's own.
"""

import argparse
import datetime
import http.client
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from house import FAKETIME, House
from table import ContentTable

# What a gateway's machine holds; the vault's keys and the key file are elsewhere.
GATEWAY_PARTS = ["workspace", "journal", "content", "hash.key"]


class Load:
    """Callers that ask until they are told to stop."""

    def __init__(self, house, callers):
        self.house, self.over, self.asked, self.failed = house, threading.Event(), [], []
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(callers)]
        for thread in self.threads:
            thread.start()

    def _ask(self, number):
        count = 0
        while not self.over.is_set():
            text = f"caller {number} asks for the {count}th time where order {number}-{count} is"
            tenant = ("acme", "globex")[count % 2]
            count += 1
            try:
                answer = self.house.ask(text, tenant, "docs.summarise", f"user-{number}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append((0, type(error).__name__))
                continue
            if answer.status == 200:
                self.asked.append((tenant, answer.request_id, text))
            else:
                self.failed.append((answer.status, answer.code()))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def until_midnight(seconds):
    """A shift of the clock, after which midnight (UTC) comes in so many seconds."""
    now = datetime.datetime.now(datetime.timezone.utc)
    midnight = (now + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"+{int((midnight - now).total_seconds()) - seconds}s"


def rotate_under_load(house, seconds, callers):
    house.shift = until_midnight(seconds // 2)
    house.start()
    load = Load(house, callers)
    rotations, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        house.run("vault", "rotate", "--all")
        house.run("vault", "rewrap", "--everything")
        rotations += 1
    load.stop()
    house.stop()
    return load, rotations


def check_all(house, load, sample):
    """How many texts, evenly spread over those that were answered, were asked for, and which of them did not open."""
    wrong = []
    step = max(1, len(load.asked) // sample)
    chosen = load.asked[::step]
    for tenant, request, text in chosen:
        done = house.reveal(request, tenant, "--part", "prompt")
        if done.returncode != 0 or text not in done.stdout:
            wrong.append(f"{request}: {done.returncode} {done.stderr.strip()[-200:]}")
    return len(chosen), wrong


def stolen_disk(house, load, work):
    """The thief makes a vault of his own around what he took."""
    taken = work / "stolen" / "data"
    taken.mkdir(parents=True)
    for part in GATEWAY_PARTS:
        source = house.data / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, taken / part)
    if (house.data / "vault/claims/edge").exists():
        shutil.copytree(house.data / "vault/claims/edge", taken / "vault/claims/edge")
    # With keys of the thief's own; beside the public keys alone, a vault that lost its key file is refused.
    thief = House.of_copies(house, taken)
    thief.start()
    thief.stop()
    rows = ContentTable(thief.texts).rows()
    states = Counter(row["state"] for row in rows)
    print(f"stolen disk: the thief's own vault made of its journal {sorted(states.items())}")
    seen = sum(1 for tenant, request, text in load.asked[:20] if text in thief.reveal(request, tenant, "--part", "prompt").stdout)
    clear = 0
    for file in taken.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            clear += sum(1 for _, _, text in load.asked[:20] if text.encode() in content)
    return seen, clear, set(states) == {"unopened"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--callers", type=int, default=8)
    arguments.add_argument("--sample", type=int, default=60, help="texts that are revealed afterwards")
    options = arguments.parse_args()
    if not FAKETIME.exists():
        sys.exit("libfaketime is missing: apt-get install faketime")
    work = Path(tempfile.mkdtemp(prefix="custody-rotation-"))
    house = House(options.binary.resolve(), work)
    load, rotations = rotate_under_load(house, options.seconds, options.callers)
    days = sorted(file.stem for file in (house.data / "vault/edge").glob("*.key"))
    print(f"{len(load.asked)} answered, {len(load.failed)} not {sorted(set(load.failed))}; {rotations} rotations; edge keys of days {days}")
    states = house.sql("select count(*) as texts from contents")
    print(f"content events: {states[0]['texts']}")
    opened, wrong = check_all(house, load, options.sample)
    print(f"{opened} texts asked for, {opened - len(wrong)} opened")
    seen, clear, met = stolen_disk(house, load, work)
    print(f"stolen disk: {seen} texts opened, {clear} found in the clear")
    for line in wrong:
        print(f"WRONG {line}")
    shutil.rmtree(work)
    if not met:
        print("WRONG the thief's vault met no sealed text, or opened one")
    few = len(load.asked) < 10 * options.callers
    if few:
        print(f"WRONG {len(load.asked)} requests are too few to say anything")
    sys.exit(1 if wrong or few or load.failed or seen or clear or not met or len(days) < 2 else 0)


if __name__ == "__main__":
    main()
