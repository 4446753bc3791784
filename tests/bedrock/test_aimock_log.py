"""What second_stub.py takes for right and wrong beside aimock's journal, on entries made by hand."""

import copy
import unittest
from types import SimpleNamespace

import aimock_cases
import aimock_log
import fronts
import judgement
from asked import Question
from custody_process import SYSTEM
from test_judgement import answered, trail


def entry(case, status=200, operation="converse", **response):
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": fronts.QUESTION}]
    return {
        "path": f"/model/{case}/{operation}", "headers": {"authorization": "[REDACTED]", "x-amz-date": "20260101T000000Z"},
        "body": {"model": case, "messages": messages, "max_tokens": fronts.MOST_TOKENS}, "response": {"status": status, **response}}


def asked(case, entries, front=fronts.OPENAI):
    question = Question(aimock_cases.BY_NAME[case], front)
    question.received = len(entries)
    aimock_log.give([question], SimpleNamespace(journal=lambda name: list(entries)))
    return question


class Journal(unittest.TestCase):
    def test_what_is_as_the_journal_says_passes(self):
        self.assertEqual(aimock_log.differences(asked("aimock.text", [entry("aimock.text")]), trail()), [])

    def test_what_is_not_is_told(self):
        right = entry("aimock.text")
        for name, change in {
            "another status": lambda one: one["response"].update(status=500),
            "another operation": lambda one: one.update(path="/model/aimock.text/converse-stream"),
            "another model": lambda one: one.update(path="/model/aimock.other/converse"),
            "another prompt": lambda one: one["body"]["messages"].pop(0),
            "another bound": lambda one: one["body"].update(max_tokens=7),
            "tools nobody gave": lambda one: one["body"].update(tools=[{"function": {"name": "find_parcel"}}]),
            "no signature": lambda one: one["headers"].pop("authorization"),
        }.items():
            with self.subTest(name):
                wrong = copy.deepcopy(right)
                change(wrong)
                self.assertEqual(len(aimock_log.differences(asked("aimock.text", [wrong]), trail())), 1)

    def test_a_broken_connection_has_no_status(self):
        lost = entry("aimock.chaos.disconnect", 0, chaosAction="disconnect")
        rows = trail("failed", "upstream_failed", None, None, None, None, "usage_unknown", "failed")
        question = asked("aimock.chaos.disconnect", [lost])
        self.assertEqual(aimock_log.differences(question, rows), [])
        rows["invocations"][0]["http_status"] = 200
        self.assertEqual(len(aimock_log.differences(question, rows)), 1)

    def test_the_dice_make_the_truth(self):
        name = "aimock.chaos.any.0"
        dropped = entry(name, 500, chaosAction="drop")
        question = asked(name, [dropped, entry(name)])
        self.assertEqual((question.case.varies, question.case.first), (False, (aimock_log.FAULTS["drop"],)))
        rows = _retried()
        self.assertEqual(judgement.differences(question.case, fronts.OPENAI, answered(), rows, 2), [])
        self.assertEqual(aimock_log.differences(question, rows), [])
        rows["costs"][0]["amount_pico"] = 5
        self.assertNotEqual(judgement.differences(question.case, fronts.OPENAI, answered(), rows, 2), [])


def _retried():
    """The rows of a question that met a 500, was asked again and answered."""
    rows, refused = trail(), trail("failed", "upstream_unavailable", 500, None, None, None, "usage_unknown", "failed")
    rows["invocations"][0]["attempt"] = rows["costs"][0]["attempt"] = 2
    rows["outcomes"][0]["attempts"] = 2
    for view in ("invocations", "costs"):
        rows[view].insert(0, refused[view][0])
    return rows


if __name__ == "__main__":
    unittest.main()
