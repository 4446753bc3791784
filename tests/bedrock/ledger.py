"""What the stub received: the other side of every count that a recorder makes."""

from collections import Counter, deque


class Ledger:
    def __init__(self, bodies):
        self.bodies_kept = bodies
        self.reset()

    def reset(self):
        self.counts, self.statuses, self.endings, self.logins, self.refusals = (Counter() for _ in range(5))
        self.last = deque(maxlen=self.bodies_kept)

    def received(self, model_id, operation, headers, body):
        """Before anything is decided about it: a request that is then reset was still received."""
        self.counts[model_id, operation] += 1
        shown = {name: value for name, value in headers if name.lower() != "authorization"}
        entry = {"model": model_id, "operation": operation, "headers": shown, "body": body, "refusal": None}
        self.last.append(entry)
        return entry

    def refused(self, entry, code):
        """Not for a case's sake, but because the request or its credential is wrong."""
        entry["refusal"] = code
        self.refusals[entry["model"], entry["operation"], code] += 1

    def answered(self, model_id, operation, status):
        self.statuses[model_id, operation, status] += 1

    def ended(self, model_id, operation, how):
        """How an answer left: whole, as planned (reset, close, stall), or the caller went away."""
        self.endings[model_id, operation, how] += 1

    def report(self):
        return {
            "requests": _rows(self.counts, ()),
            "statuses": _rows(self.statuses, ("status",)),
            "endings": _rows(self.endings, ("ending",)),
            "refusals": _rows(self.refusals, ("code",)),
            "logins": dict(self.logins),
            "last": list(self.last),
        }


def _rows(counter, more):
    return [{**dict(zip(("model", "operation", *more), key)), "count": count} for key, count in counter.items()]
