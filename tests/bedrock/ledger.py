"""What the stub received: the other side of every count that a recorder makes."""

from collections import Counter, deque


class Ledger:
    def __init__(self, bodies):
        self.bodies_kept = bodies
        self.reset()

    def reset(self):
        self.counts, self.statuses, self.endings, self.logins = Counter(), Counter(), Counter(), Counter()
        self.last = deque(maxlen=self.bodies_kept)

    def received(self, model_id, operation, headers, body):
        """Before anything is decided about it: a request that is then reset was still received."""
        self.counts[model_id, operation] += 1
        shown = {name: value for name, value in headers if name.lower() != "authorization"}
        entry = {"model": model_id, "operation": operation, "headers": shown, "body": body, "refusal": None}
        self.last.append(entry)
        return entry

    def answered(self, model_id, operation, status):
        self.statuses[model_id, operation, status] += 1

    def ended(self, model_id, operation, how):
        """How an answer left: whole, as planned (reset, close, stall), or the caller went away."""
        self.endings[model_id, operation, how] += 1

    def report(self):
        return {
            "requests": [{"model": model, "operation": operation, "count": count} for (model, operation), count in self.counts.items()],
            "statuses": [
                {"model": model, "operation": operation, "status": status, "count": count}
                for (model, operation, status), count in self.statuses.items()],
            "endings": [
                {"model": model, "operation": operation, "ending": how, "count": count} for (model, operation, how), count in self.endings.items()],
            "logins": dict(self.logins),
            "last": list(self.last),
        }
