"""What outcomes.py takes for right and wrong, on rows made by hand: a recorder that errs must be found."""

import copy
import unittest

import cases
import judgement
from fronts import CONVERSE_FRONT, OPENAI, OPENAI_STREAM, Seen

NOTHING = dict.fromkeys(("input_tokens", *judgement.COUNTED))


def trail(
    status="completed", code=None, http_status=200, finish="stop", usage=cases.USAGE, amount="right", finding=None, outcome="answered"
):
    counts = judgement.canonical(usage) or NOTHING
    amount = judgement.price(usage) if amount == "right" else amount
    return {
        "requests": [{}],
        "invocations": [
            {"attempt": 1, "status": status, "error_code": code, "http_status": http_status, "finish_reason": finish,
             "provider_request_id": None, **counts}],
        "costs": [{"attempt": 1, "charged_for": "model", "amount_pico": amount, "finding": finding}],
        "guardrails": [],
        "outcomes": [{"class": outcome, "code": code, "attempts": 1, "guardrail_status": "not_required"}],
    }


def answered(**changes):
    usage = {"prompt_tokens": 21, "completion_tokens": 9}
    return Seen(**{"status": 200, "end": "complete", "finish": "stop", "text": cases.ANSWER, "usage": usage, **changes})


class Judgement(unittest.TestCase):
    def judge(self, name, seen, rows, front=OPENAI, received=1):
        return judgement.differences(cases.BY_NAME[name], front, seen, rows, received)

    def test_counts_and_prices(self):
        counts = judgement.canonical(cases.USAGE_CACHE_ALL)
        self.assertEqual(counts, {
            "input_tokens": 1721, "cache_read_tokens": 1000, "cache_write_5m_tokens": 300, "cache_write_1h_tokens": 400,
            "output_tokens": 9})
        # 21 × 3 + 1000 × 0.7 + 300 × 11 + 400 × 17 + 9 × 23 dollars per million.
        self.assertEqual(judgement.price(cases.USAGE_CACHE_ALL), 11_070_000_000)

    def test_the_truth_passes(self):
        self.assertEqual(self.judge("stub.ok", answered(), trail()), [])
        lost = trail("cut", "upstream_cut", finish=None, usage=None, finding="usage_unknown", outcome="interrupted")
        self.assertEqual(self.judge("stub.stream.cut-in-frame", Seen(200, "exception", "upstream_cut"), lost, OPENAI_STREAM), [])
        throttled = trail("refused", "upstream_throttled", 429, None, None, None, None, "failed")
        self.assertEqual(self.judge("stub.error.ThrottlingException", Seen(429, "error", "upstream_throttled"), throttled), [])

    def test_an_error_without_a_name_is_judged_by_its_status(self):
        nameless = ((429, 429, "upstream_throttled"), (408, 504, "upstream_model_timed_out"), (500, 502, "upstream_unavailable"))
        for status, told, code in nameless:
            with self.subTest(status):
                case = cases.Case("other.error", cases.BOTH, cases.failed(status))
                rows = trail("refused", code, status, None, None, None, None, "failed")
                self.assertEqual(judgement.differences(case, OPENAI, Seen(told, "error", code), rows, 1), [])
                wrong = judgement.differences(case, OPENAI, Seen(403, "error", code), rows, 1)
                self.assertEqual(len(wrong), 1)

    def test_what_is_not_so_is_told(self):
        wrong = {
            "one more attempt": (answered(), trail(), 2),
            "no attempt": (answered(), trail(), 0),
            "wrong amount": (answered(), trail(amount=1), 1),
            "no amount": (answered(), trail(amount=None, finding="usage_unknown"), 1),
            "wrong usage": (answered(), trail(usage=cases.USAGE_CACHE_READ), 1),
            "wrong finish": (answered(), trail(finish="length"), 1),
            "wrong outcome": (answered(), trail(outcome="truncated"), 1),
            "wrong text": (answered(text=cases.HALF), trail(), 1),
            "wrong usage shown": (answered(usage=None), trail(), 1),
            "failure shown": (Seen(502, "error", "x"), trail(), 1),
        }
        for name, (seen, rows, received) in wrong.items():
            with self.subTest(name):
                self.assertNotEqual(self.judge("stub.ok", seen, rows, received=received), [])

    def test_what_a_guardrail_did_must_be_told(self):
        sides = [("stubguardrail", "input"), ("stubguardrail", "output"), ("otherguardrail", "output")]
        rows = trail()
        rows["guardrails"] = [{"attempt": 1, "guardrail_id": one, "version": "3", "side": side, "action": "none"} for one, side in sides]
        rows["costs"].append({"attempt": 1, "charged_for": "guardrail", "amount_pico": 3 * 1_520_000_000, "finding": None})
        rows["outcomes"][0]["guardrail_status"] = "passed"
        self.assertEqual(self.judge("stub.guardrail.detect-only", answered(), rows), [])
        for name, change in {
            "no event": lambda one: one["guardrails"].pop(),
            "no cost": lambda one: one["costs"].pop(),
            "another amount": lambda one: one["costs"][1].update(amount_pico=1),
            "another action": lambda one: one["guardrails"][0].update(action="blocked"),
            "no status": lambda one: one["outcomes"][0].update(guardrail_status="not_required"),
        }.items():
            with self.subTest(name):
                wrong = copy.deepcopy(rows)
                change(wrong)
                self.assertEqual(len(self.judge("stub.guardrail.detect-only", answered(), wrong)), 1)

    def test_garbage_is_no_cut(self):
        cut = trail("cut", "upstream_cut", finish=None, usage=None, finding="usage_unknown", outcome="failed")
        self.assertNotEqual(self.judge("stub.stream.garbage", Seen(502, "error", "x"), cut, OPENAI_STREAM), [])

    def test_an_invented_amount_is_told(self):
        for name in ("stub.lie.negative", "stub.stream.no-usage"):
            found = self.judge(name, answered(), trail(usage=None, amount=270_000_000), OPENAI_STREAM)
            self.assertTrue(any("unknown" in one for one in found), found)

    def test_a_cut_stream_that_looks_whole_is_told(self):
        lost = trail("cut", "upstream_cut", finish=None, usage=None, finding="usage_unknown", outcome="interrupted")
        for seen in (answered(text=cases.HALF), Seen(200, "cut", text=cases.HALF)):
            self.assertNotEqual(self.judge("stub.stream.reset-in-frame", seen, lost, OPENAI_STREAM), [])

    def test_two_outcomes_or_none_are_told(self):
        for count in (0, 2):
            rows = copy.deepcopy(trail())
            rows["outcomes"] *= count
            self.assertNotEqual(self.judge("stub.ok", answered(), rows), [])

    def test_the_callers_own_403_is_not_the_providers(self):
        denied = trail("refused", "upstream_denied", 403, None, None, None, None, "failed")
        seen = Seen(403, "error", "AccessDeniedException")
        self.assertNotEqual(self.judge("stub.error.AccessDeniedException", seen, denied, CONVERSE_FRONT), [])


if __name__ == "__main__":
    unittest.main()
