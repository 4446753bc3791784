#!/usr/bin/env python3
"""Custody against a third Bedrock stub, which does well what the second can't: events in AWS's order, errors by name, guardrails.

It is MiniStack, from PyPI (ministack/requirements.txt pins it; it gets an environment of its own), and aimock plays the model behind it.
Each case of ministack_cases.py is asked through both fronts, plain and as a stream, and judged as second_stub.py does; requests are
counted by MiniStack's own log. Needs boto3 (requirements.txt), node and npm. Fails on any difference.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import aimock
import ministack
import ministack_cases
from asked import Trail, compare, of_all, questions
from custody_process import Custody

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What its guardrails mean for a request; a masked answer of a stream tells nobody that it was masked.
STATUSES = {
    "mini.guardrail.input": {"intervened"}, "mini.guardrail.output": {"intervened"}, "mini.guardrail.output.nothing-found": {"passed"},
    "mini.guardrail.mask": {"intervened", "passed"}, "mini.guardrail.unknown": {"unknown"}}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--only", default="", help="cases whose name contains this")
    options.add_argument("--cache", type=Path, default=Path.home() / ".cache/custody", help="where both are installed")
    options.add_argument("--keep", action="store_true", help="keep the folder with data and logs")
    options = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="custody-third-stub-"))
    running = []
    try:
        model = aimock.RunningAimock(aimock.install(options.cache / "aimock"), work, ministack_cases.CASES)
        running.append(model)
        stub = ministack.RunningMinistack(ministack.install(options.cache / "ministack"), work, model.url)
        running.append(stub)
        made = {name: stub.make_guardrail(name, policies) for name, policies in ministack_cases.GUARDRAILS.items()}
        return judge(options, work, stub, ministack_cases.under(made))
    finally:
        for one in running:
            one.stop()
        if options.keep:
            print(f"data and logs are in {work}")
        else:
            shutil.rmtree(work)


def judge(options, work, stub, all_cases):
    custody = Custody(options.binary, work, stub.url, all_cases)
    try:
        custody.start()
        asked = list(questions(all_cases, options.only))
        for question in asked:
            question.ask(custody, stub)
        custody.stop()
        trail = Trail(custody)
        failed, whole = compare(asked, trail, of_ministack), of_all(asked, trail, custody)
    finally:
        if custody.process.poll() is None:
            custody.process.kill()
    print("\n".join(f"DIFFERS: {one}" for one in whole))
    print(f"{len(asked)} questions over {len(all_cases)} cases, {failed} differ; {len(whole)} further differences")
    return 1 if failed or whole or not asked else 0


def of_ministack(question, rows):
    """What only this stub gives: request ids as AWS's, and guardrails that work."""
    ids = [attempt["provider_request_id"] for attempt in rows["invocations"]]
    if not all(REQUEST_ID.fullmatch(one or "") for one in ids) or len(set(ids)) != len(ids):
        yield f"provider's request ids {ids}"
    if (accepted := STATUSES.get(question.case.name)) is None:
        return
    statuses = {row["guardrail_status"] for row in rows["outcomes"]}
    if not statuses <= accepted:
        yield f"guardrail status {statuses}, not {accepted}"
    guarded = {row["attempt"] for row in rows["guardrails"]}
    completed = {row["attempt"] for row in rows["invocations"] if row["status"] == "completed"}
    if guarded != completed:
        yield f"guardrails of attempts {guarded}, and {completed} were completed"
    named = {f'guardrail_id = "{row["guardrail_id"]}"' for row in rows["guardrails"]}
    if not all(one in question.case.route for one in named):
        yield f"guardrails {named} on a route with {question.case.route!r}"


if __name__ == "__main__":
    sys.exit(main())
