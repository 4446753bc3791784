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
import fronts
import judgement
from custody_process import Custody, capability_of
from harness import RunningStub

VIEWS = {
    "requests": "request_id, capability, dialect, stream, decision",
    "invocations": "request_id, attempt, status, http_status, error_code, finish_reason, usage_source, input_tokens, cache_read_tokens, "
                   "cache_write_5m_tokens, cache_write_1h_tokens, output_tokens",
    "costs": "request_id, attempt, amount_pico, finding",
    "outcomes": "request_id, class, http_status, code, attempts, guardrail_status",
}


class Question:
    """One case through one front: what was seen, and how many requests the stub received for it meanwhile."""

    def __init__(self, case, front):
        self.case, self.front = case, front

    def ask(self, custody, stub):
        before = stub.received(self.case.name)
        self.seen = fronts.ask(self.front, custody.url, custody.key, capability_of(self.case), fronts.has_tools(self.case))
        self.received = stub.received(self.case.name) - before


def questions(only):
    for case in cases.CASES:
        for front, operation in fronts.FRONTS.items():
            if operation in case.operations and only in case.name:
                yield Question(case, front)


class Trail:
    """All rows by request, and requests by capability in the order in which they came."""

    def __init__(self, custody):
        self.rows = {view: self._by_request(custody.sql(f"select {columns} from {view}")) for view, columns in VIEWS.items()}
        kinds = custody.sql("select request_id, kind from events where request_id is not null order by log_partition, log_position")
        self.kinds = self._by_request(kinds)
        self.everything = str(custody.sql("select * from events"))
        self.waiting = {}
        # Request ids carry their time, and each case's questions were asked one after the other.
        for request_id, rows in sorted(self.rows["requests"].items()):
            self.waiting.setdefault(rows[0]["capability"], []).append(request_id)

    def next_of(self, capability):
        waiting = self.waiting.get(capability)
        request_id = waiting.pop(0) if waiting else None
        rows = {view: sorted(found.get(request_id, []), key=lambda row: row.get("attempt", 0)) for view, found in self.rows.items()}
        return request_id, rows

    def _by_request(self, rows):
        found = {}
        for row in rows:
            found.setdefault(row["request_id"], []).append(row)
        return found


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
        custody = Custody(options.binary, work, stub.url)
        custody.start()
        asked = list(questions(options.only))
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
    failed, table = 0, []
    for question in asked:
        request_id, rows = trail.next_of(capability_of(question.case))
        found = judgement.differences(question.case, question.front, question.seen, rows, question.received)
        if question.seen.request_id not in (None, request_id):
            found.append(f"the caller was told request {question.seen.request_id}, the trail has {request_id}")
        table.append(line_of(question, trail.kinds.get(request_id, []), rows))
        table += [f"    DIFFERS: {one}" for one in found]
        failed += bool(found)
    print(f"{'case':46}{'front':16}{'caller':40}trail")
    print("\n".join(table))
    whole = of_all(asked, stub, trail, custody)
    print("\n".join(f"DIFFERS: {one}" for one in whole))
    count = len({question.case.name for question in asked})
    print(f"{len(asked)} questions over {count} cases, {failed} differ; {len(whole)} further differences")
    return 1 if failed or whole or not asked else 0


def of_all(asked, stub, trail, custody):
    """What no single case shows."""
    found = []
    if elsewhere := stub.received("stub.redirected"):
        found.append(f"{elsewhere} requests followed a redirect")
    refused = stub.report()["refusals"]
    found += [f"the stub refused {row['count']} requests for {row['model']} ({row['operation']}) with {row['code']}" for row in refused]
    places = {"an answer": "".join(question.seen.raw for question in asked), "the trail": trail.everything,
              "the log": custody.log.read_text(errors="replace")}
    for canary in fronts.canaries():
        found += [f"{place} holds `{canary}`" for place, text in places.items() if canary in text]
        files = [path for path in custody.data.rglob("*") if path.is_file()]
        found += [f"{path.name} holds `{canary}`" for path in files if canary.encode() in path.read_bytes()]
    if left := sum(map(len, trail.waiting.values())):
        found.append(f"{left} requests in the trail that nobody asked")
    return found + wrong_labels(stub.report()["last"], trail.rows["requests"])


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


def line_of(question, kinds, rows):
    seen = question.seen
    caller = " ".join(str(part) for part in (seen.status, seen.end, seen.code or seen.finish) if part is not None)
    attempts = ", ".join(
        f"{row['status']} {row['error_code'] or row['finish_reason']} in={row['input_tokens']} out={row['output_tokens']}"
        for row in rows["invocations"])
    costs = ", ".join(str(cost["finding"] or cost["amount_pico"]) for cost in rows["costs"])
    outcome = " ".join(f"{row['class']} {row['code'] or ''}" for row in rows["outcomes"])
    short = " ".join(row["kind"][:3] for row in kinds)
    return f"{question.case.name:46}{question.front:16}{caller:40}[{short}] {attempts} | {costs} | {outcome}"


if __name__ == "__main__":
    sys.exit(main())
