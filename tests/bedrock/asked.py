"""What was asked and what the trail says about it, whatever stands in for the provider; and the table of both.

A provider here is anything that can say how many requests it received for a model id (`received`).
"""

import fronts
import judgement
from custody_process import capability_of

VIEWS = {
    "requests": "request_id, capability, dialect, stream, decision",
    "invocations": "request_id, attempt, status, http_status, error_code, finish_reason, usage_source, input_tokens, cache_read_tokens, "
                   "cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, provider_request_id",
    "costs": "request_id, attempt, charged_for, amount_pico, finding",
    "guardrails": "request_id, attempt, guardrail_id, version, side, action",
    "outcomes": "request_id, class, http_status, code, attempts, guardrail_status",
}


class Question:
    """One case through one front: what was seen, and how many requests the provider received for it meanwhile."""

    def __init__(self, case, front):
        self.case, self.front = case, front

    def ask(self, custody, provider):
        before = provider.received(self.case.name)
        self.seen = fronts.ask(self.front, custody.url, custody.key, capability_of(self.case), fronts.has_tools(self.case))
        self.received = provider.received(self.case.name) - before


def questions(all_cases, only):
    for case in all_cases:
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


def compare(asked, trail, more=lambda question, rows: (), known=()):
    """Prints the table and returns how many questions differ. `more` finds what only this provider can tell; `known` has pieces of
    sentences about differences that stand, each with the reason.
    """
    failed, table = 0, []
    for question in asked:
        request_id, rows = trail.next_of(capability_of(question.case))
        found = judgement.differences(question.case, question.front, question.seen, rows, question.received)
        found += more(question, rows)
        if question.seen.request_id not in (None, request_id):
            found.append(f"the caller was told request {question.seen.request_id}, the trail has {request_id}")
        table.append(line_of(question, trail.kinds.get(request_id, []), rows))
        question.known = [piece for piece in known if any(piece in one for one in found)]
        found = [one for one in found if not any(piece in one for piece in known)]
        table += [f"    KNOWN: {piece}: {known[piece]}" for piece in question.known]
        table += [f"    DIFFERS: {one}" for one in found]
        failed += bool(found)
    print(f"{'case':46}{'front':16}{'caller':40}trail")
    print("\n".join(table))
    return failed


def of_all(asked, trail, custody):
    """What no single case shows: what nobody may be told and what is kept nowhere, and requests that nobody asked."""
    found = []
    places = {"an answer": "".join(question.seen.raw for question in asked), "the trail": trail.everything,
              "the log": custody.log.read_text(errors="replace")}
    for canary in fronts.canaries():
        found += [f"{place} holds `{canary}`" for place, text in places.items() if canary in text]
        files = [path for path in custody.data.rglob("*") if path.is_file()]
        found += [f"{path.name} holds `{canary}`" for path in files if canary.encode() in path.read_bytes()]
    if left := sum(map(len, trail.waiting.values())):
        found.append(f"{left} requests in the trail that nobody asked")
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
