#!/usr/bin/env python3
"""Every case of the Bedrock stub through a real Custody: what the caller gets, what the trail says, and whether both are the truth.

Each case is asked through OpenAI's front and through Converse's, plain and as a stream. Then Custody stops, the trail is read with
`custody sql`, and every request's rows are compared with cases.py and with the stub's own count of what it received. Needs boto3
(requirements.txt). Fails on any difference.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import cases
from asked import Trail, compare, of_all, questions
from custody_process import Custody
from harness import RunningStub


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--only", default="", help="cases whose name contains this")
    options.add_argument("--keep", action="store_true", help="keep the folder with data and log")
    options = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-bedrock-"))
    stub = RunningStub()
    custody = None
    try:
        custody = Custody(options.binary, work, stub.url, cases.CASES)
        custody.start()
        asked = list(questions(cases.CASES, options.only))
        for question in asked:
            question.ask(custody, stub)
        custody.stop()
        return report(asked, Trail(custody), stub, custody)
    finally:
        stub.stop()
        if custody and custody.process.poll() is None:
            custody.process.kill()
        if options.keep:
            print(f"data and log are in {work}")
        else:
            shutil.rmtree(work)


def report(asked, trail, stub, custody):
    failed = compare(asked, trail)
    whole = of_all(asked, trail, custody) + of_stub(stub) + wrong_labels(stub.report()["last"], trail.rows["requests"])
    print("\n".join(f"DIFFERS: {one}" for one in whole))
    count = len({question.case.name for question in asked})
    print(f"{len(asked)} questions over {count} cases, {failed} differ; {len(whole)} further differences")
    return 1 if failed or whole or not asked else 0


def of_stub(stub):
    """What only this stub can tell: who followed a redirect, and requests or credentials that were wrong."""
    found = []
    if elsewhere := stub.received("stub.redirected"):
        found.append(f"{elsewhere} requests followed a redirect")
    refused = stub.report()["refusals"]
    found += [f"the stub refused {row['count']} requests for {row['model']} ({row['operation']}) with {row['code']}" for row in refused]
    return found


def wrong_labels(received, requests):
    """PATH-11, LOG-36: every call tells the provider which request, feature, workflow and capability it is for, and a pseudonym."""
    found, pseudonyms = [], set()
    for entry in received:
        told = dict((entry["body"] or {}).get("requestMetadata", {}))
        request = requests.get(told.pop("custody_request", None))
        pseudonyms.add(told.pop("custody_tenant", None))
        capability = request and request[0]["capability"]
        if told != {"custody_feature": "bedrock", "custody_workflow": "case", "custody_capability": capability}:
            found.append(f"a call of {entry['model']} carried the labels {told} for {capability}")
    if received and (len(pseudonyms) != 1 or not all(re.fullmatch("[0-9a-f]{64}", one or "") for one in pseudonyms)):
        found.append(f"the tenant's pseudonyms are {pseudonyms}")
    return found


if __name__ == "__main__":
    sys.exit(main())
