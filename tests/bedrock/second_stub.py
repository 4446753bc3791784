#!/usr/bin/env python3
"""Custody against a Bedrock stub that others wrote: what the caller gets, what the trail says, and what that stub's own log says.

The stub is aimock, from npm (aimock/package-lock.json pins it; needs node and npm). Each case of aimock_cases.py is asked through
OpenAI's front and through Converse's, plain and as a stream. Then Custody stops, the trail is read with `custody sql`, and every
request's rows are compared with what aimock was told to answer and with its journal: an attempt for each request that it received,
with the status that it gave, and a request as Custody should have made it. Needs boto3 (requirements.txt). Fails on any difference.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import aimock
import aimock_cases
import aimock_log
from asked import Trail, compare, of_all, questions
from custody_process import Custody

# Shorter than against our own stub: there are several stalls, and nothing here takes a second of its own.
ATTEMPT_TIMEOUT_MS = 2000


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--only", default="", help="cases whose name contains this")
    options.add_argument("--cache", type=Path, default=Path.home() / ".cache/custody", help="where aimock is installed")
    options.add_argument("--keep", action="store_true", help="keep the folder with data and logs")
    options = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-second-stub-"))
    stub = aimock.RunningAimock(aimock.install(options.cache / "aimock"), work, aimock_cases.CASES)
    custody = None
    try:
        custody = Custody(options.binary, work, stub.url, aimock_cases.CASES, ATTEMPT_TIMEOUT_MS)
        custody.start()
        asked = list(questions(aimock_cases.CASES, options.only))
        for question in asked:
            question.ask(custody, stub)
        custody.stop()
        return report(asked, Trail(custody), stub, custody)
    finally:
        stub.stop()
        if custody and custody.process.poll() is None:
            custody.process.kill()
        if options.keep:
            print(f"data and logs are in {work}")
        else:
            shutil.rmtree(work)


def report(asked, trail, stub, custody):
    aimock_log.give(asked, stub)
    failed = compare(asked, trail, aimock_log.differences)
    whole = of_all(asked, trail, custody)
    attempts, received = sum(map(len, trail.rows["invocations"].values())), stub.received_in_all()
    if attempts != received:
        whole.append(f"{attempts} attempts recorded, aimock's meter counts {received} requests")
    print("\n".join(f"DIFFERS: {one}" for one in whole))
    count = len({question.case.name for question in asked})
    print(f"{attempts} attempts recorded; aimock's meter counts {received} requests")
    print(f"{len(asked)} questions over {count} cases, {failed} differ; {len(whole)} further differences")
    return 1 if failed or whole or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
