"""Callers of a distributed Custody under faults, and what is seen of it every second."""

import csv
import http.client
import json
import random
import re
import threading
import time
from collections import Counter, defaultdict

from cluster import http as get

# The control level of the first waits for the log, that of the second for the journal only.
LOG_CAPABILITY, JOURNAL_CAPABILITY = "support.answer", "docs.summarise"
PATIENCE, TIMEOUT, IDLE = 90, 25, 2

FIGURES = {
    "journal_bytes": "custody_journal_bytes",
    "shipper_lag": "custody_shipper_lag_records",
    "ingest_lag": "custody_ingest_lag_records",
    "partitions": "custody_ingest_partitions",
    "tail_rows": "custody_query_tail_rows",
}


class Load:
    """Callers that ask again and again. A row that was refused or cut is sent again until it is answered or patience ends."""

    def __init__(self, cluster, callers, answers_file):
        self.cluster, self.file = cluster, open(answers_file, "w")
        self.turn, self.stopping = threading.Lock(), threading.Event()
        self.answered, self.newest, self.given_up, self.rows = {}, None, 0, 0
        self.seconds, self.same_id = defaultdict(Counter), []
        self.threads = [threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(callers)]

    def start(self):
        self.began = time.time()
        [thread.start() for thread in self.threads]
        return self

    def finish(self):
        self.stopping.set()
        [thread.join() for thread in self.threads]
        self.file.close()

    def counts(self, since, until):
        total = Counter()
        with self.turn:
            for second in range(int(since), int(until) + 1):
                total.update(self.seconds.get(second, {}))
        return total

    def _call(self, number):
        dice, connections = random.Random(number), {}
        # One capability each: while Kafka is away, callers of the other must not all end up waiting here.
        capability = (LOG_CAPABILITY, JOURNAL_CAPABILITY)[number % 2]
        row = 0
        while not self.stopping.is_set():
            row += 1
            self._row(f"chaos-{number}-{row}", capability, body(dice, capability), dice, connections)
            time.sleep(dice.uniform(0.2, 0.8))

    def _row(self, name, capability, ask, dice, connections):
        with self.turn:
            self.rows += 1
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            gateway = dice.choice(self.cluster.gateways)
            request_id, code = send(connections, gateway.port, self.cluster.keys["acme"], name, ask)
            self._note(capability, code, request_id)
            if code == "answered":
                return
            time.sleep(dice.uniform(0.3, 1.2))
        with self.turn:
            self.given_up += 1

    def _note(self, capability, code, request_id):
        now = time.time()
        with self.turn:
            self.seconds[int(now)][(capability, code)] += 1
            if code == "answered":
                if request_id in self.answered:
                    self.same_id.append(request_id)
                self.answered[request_id] = now
                self.newest = (request_id, now)
                self.file.write(request_id + "\n")
                self.file.flush()


def body(dice, capability):
    """Some answers take a while, so that a kill finds requests under way; some are streamed."""
    stream = dice.random() < 0.25
    if stream:
        simulate = "simulate: chunk_delay_ms=60 chunk_words=5 output_tokens=20 "
    elif dice.random() < 0.5:
        simulate = f"simulate: delay_ms={dice.randrange(20, 600)} output_tokens=9 "
    else:
        simulate = ""
    text = simulate + "where is parcel " + str(dice.randrange(10**9)) + " of the order " * dice.randrange(1, 40)
    return json.dumps({"model": capability, "messages": [{"role": "user", "content": text}], "stream": stream})


def send(connections, port, key, name, ask):
    """The request id and `answered`, or what the answer was instead."""
    used, connection = connections.pop(port, (0, None))
    # One that was idle for long may be closed just now by the other side, which is no fault.
    if connection is None or time.monotonic() - used > IDLE:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        headers = {"authorization": f"Bearer {key}", "x-client-request-id": name, "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", ask, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        connections[port] = (time.monotonic(), connection)
        return response.headers.get("x-request-id"), verdict(response.status, text)
    except ConnectionRefusedError:
        code = "no_connection"
    except TimeoutError:
        code = "timeout"
    except (OSError, http.client.HTTPException):
        code = "cut"
    connection.close()
    return None, code


def verdict(status, text):
    # A stream that fails ends with an error in place of its end mark.
    last = text.removeprefix("data: ").rsplit("\n\ndata: ", 1)[-1].strip()
    if status == 200 and last == "[DONE]":
        return "answered"
    try:
        error = json.loads(last).get("error")
        if status == 200:
            return error["code"] if error else ("cut" if text.startswith("data: ") else "answered")
        return f"{status} {error['code']}"
    except (ValueError, AttributeError, TypeError):
        return f"{status} not JSON" if status != 200 else "cut"


class Watch:
    """Freshness, the figures and readiness of each part, and now and then whether the view has a hole: it never may."""

    def __init__(self, cluster, load, exactness):
        self.cluster, self.load, self.exactness = cluster, load, exactness
        self.samples, self.freshness, self.wrong_views, self.views = [], [], [], 0
        self.waiting_since = None
        self.stopping = threading.Event()
        work = (self._freshness, self._samples, self._exactness)
        self.threads = [threading.Thread(target=task, daemon=True) for task in work]

    def start(self):
        [thread.start() for thread in self.threads]
        return self

    def finish(self):
        self.stopping.set()
        [thread.join() for thread in self.threads]

    def _freshness(self):
        """The newest answered request: how long after its answer does SQL tell how it ended?"""
        last = None
        while not self.stopping.is_set():
            marker = self.load.newest
            if marker is None or marker == last:
                time.sleep(0.05)
                continue
            last, (request_id, answered) = marker, marker
            self.waiting_since = answered
            asked = f"select count(*) as n from outcomes where request_id = '{request_id}' and class = 'answered'"
            while not self.stopping.is_set():
                if self._ask(asked, 15) == "n\n1\n":
                    self.freshness.append((answered, time.time() - answered))
                    break
                time.sleep(0.1)
            self.waiting_since = None
            self.stopping.wait(0.5)

    def _ask(self, statement, timeout):
        status, text = get(self.cluster.query.url + "/sql", statement.encode(), timeout, {"accept": "text/csv"})
        return text if status == 200 else None

    def _exactness(self):
        while not self.stopping.wait(10):
            for name, statement in self.exactness.items():
                text = self._ask(statement, 60)
                if text is None:
                    continue
                self.views += 1
                if text.split() != ["n", "0"]:
                    self.wrong_views.append((time.time(), name, text.split()[-1]))

    def _samples(self):
        while not self.stopping.wait(1):
            self.samples.append(self._sample())

    def _sample(self):
        now, rows = time.time(), {}

        def one(part):
            # An ingest asks Kafka for the end of each of its partitions: not each second.
            deep = part not in self.cluster.ingests or len(self.samples) % 5 == 0
            rows[part.name] = look(part, deep, self.samples[-1][2].get(part.name, (0, {}))[1] if self.samples else {})

        looks = [threading.Thread(target=one, args=(part,)) for part in self.cluster.parts]
        [thread.start() for thread in looks]
        [thread.join() for thread in looks]
        since = self.waiting_since
        return now, (max(0, now - since) if since else 0), rows

    def write(self, folder, began):
        with open(folder / "freshness.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["second", "freshness_s"])
            out.writerows([f"{at - began:.2f}", f"{age:.3f}"] for at, age in self.freshness)
        codes = sorted({code for counts in self.load.seconds.values() for _, code in counts} - {"answered"})
        names = [part.name for part in self.cluster.parts]
        with open(folder / "series.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["second", "answered", *codes, "waiting_s", *FIGURES, *[f"{name}_ready" for name in names]])
            samples = {int(sample[0]): sample for sample in self.samples}
            for second in range(int(began), int(self.samples[-1][0]) + 1):
                now, waiting, rows = samples[second] = samples.get(second) or samples.get(second - 1) or (second, 0, {})
                counts = Counter()
                for (_, code), times in self.load.seconds.get(second, {}).items():
                    counts[code] += times
                seen = [sum(row[1].get(figure, 0) for row in rows.values()) for figure in FIGURES.values()]
                ready = [rows[name][0] if name in rows else "" for name in names]
                out.writerow([second - int(began), counts["answered"], *[counts[code] for code in codes], f"{waiting:.2f}", *seen, *ready])


def look(part, deep, before):
    """Whether a part says that it is ready, and its figures, or those of before."""
    ready = get(part.url + "/readyz", timeout=1)[0]
    return int(ready == 200), (figures(get(part.url + "/metrics", timeout=1)[1]) or before) if deep else before


def figures(text):
    found = Counter()
    for name, value in re.findall(r"^(custody_\w+)(?:\{[^}]*\})? (\S+)$", text, re.M):
        found[name] += float(value)
    return found
