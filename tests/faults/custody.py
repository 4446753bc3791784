"""The program under test, its callers, and what must hold of its evidence afterwards."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

# Events are as large as tags make them, so that a segment fills within seconds.
TAGS = [f"tag{number:02}" for number in range(16)]
FAT = {name: (name + "-").ljust(120, "x") for name in TAGS}


class Answer:
    """What one caller got."""

    def __init__(self, status, headers, body):
        self.status = status
        self.request_id = headers.get("x-request-id")
        self.evidence = headers.get("x-custody-evidence")
        self.retry_after = headers.get("retry-after")
        self.body = body.decode(errors="replace")
        try:
            # A stream that fails ends with an error in place of its end mark.
            last = self.body.removeprefix("data: ").rsplit("\n\ndata: ", 1)[-1].strip()
            self.code = None if last == "[DONE]" else json.loads(last).get("error", {}).get("code")
        except (ValueError, AttributeError):
            self.code = "not JSON"

    def __str__(self):
        words = [str(self.status)] + ([self.code] if self.code else [])
        return " ".join(words + ([f"Retry-After {self.retry_after}"] if self.retry_after else []))


class Up:
    """A running `up`."""

    count = 0

    def __init__(self, binary, data, logs, *, keys=None, env=None, flush_age=3600, extra=(), wait=60):
        Up.count += 1
        # Not beside the data, which may stand on a disk that fails.
        self.out, self.err = Path(logs) / f"up-{Up.count}.out", Path(logs) / f"up-{Up.count}.err"
        command = [binary, "up", "--data-dir", str(data), "--listen", "127.0.0.1:0", "--flush-age", str(flush_age), *extra]
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(env or {})})
        self.port, self.key = None, keys
        until = time.monotonic() + wait
        while time.monotonic() < until and self.process.poll() is None:
            text = self.stdout()
            if "ready" in text:
                self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", text).group(1))
                found = re.search(r"key\s+acme (\S+)", text)
                self.key = found.group(1) if found else keys
                return
            time.sleep(0.05)

    def stdout(self):
        return self.out.read_text()

    def log(self):
        return self.err.read_text()

    def is_up(self):
        return self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, patience=90):
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return "did not stop"

    def ask(self, text="hello", tags=None, connection=None, timeout=60, stream=False):
        body = {"model": "support.answer", "messages": [{"role": "user", "content": text}], "stream": stream}
        if tags:
            body["metadata"] = tags
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        own.request("POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {self.key}"})
        response = own.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if connection is None:
            own.close()
        return answer

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode().strip()

    def load(self, *, until, callers=16, tags=None, text="hello", seconds=240):
        """Callers that ask again and again, until one of their answers is what `until` says, or the program is gone."""
        answers, turn, stop, deadline = [], threading.Lock(), threading.Event(), time.monotonic() + seconds

        def call():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            while not stop.is_set() and time.monotonic() < deadline:
                try:
                    answer = self.ask(text, tags, connection)
                except (OSError, http.client.HTTPException):
                    connection.close()
                    if not self.is_up():
                        return
                    continue
                # One at a time, so that every count is seen once.
                with turn:
                    answers.append(answer)
                    if until(answer, len(answers)):
                        stop.set()

        threads = [threading.Thread(target=call) for _ in range(callers)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        return answers

    def slow(self, count, delay_ms, stream=False):
        """Requests that are under way for a while; returns a function that waits for their answers."""
        answers = []
        delay = f"chunk_delay_ms={delay_ms // 4} chunk_words=5 output_tokens=20" if stream else f"delay_ms={delay_ms} output_tokens=5"
        call = lambda: answers.append(self.ask(f"simulate: {delay} slow", FAT, timeout=120, stream=stream))
        threads = [threading.Thread(target=call) for _ in range(count)]
        [thread.start() for thread in threads]

        def wait():
            [thread.join() for thread in threads]
            return answers

        return wait


def prepare(binary, data, logs):
    """A first start that makes workspace and key; tags are allowed, so that events can be made large."""
    up = Up(binary, data, logs)
    if up.port is None:
        raise RuntimeError(f"first start failed: {up.log()}")
    key = up.key
    up.stop()
    file = Path(data) / "workspace" / "custody.toml"
    allowed = ", ".join(f'"{name}"' for name in TAGS)
    file.write_text(re.sub(r"allowed = \[.*\]", f"allowed = [{allowed}]", file.read_text()))
    return key


def sql(binary, data, statement):
    command = [binary, "sql", "--data-dir", str(data), "--format", "json", statement]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"sql: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


HOLES = """with places as (select source, seq from events union all select source, seq from dead_letters)
select coalesce(sum(missing), 0) as n from
(select max(seq) - count(distinct seq) as missing from places group by source)"""

UNENDED = """select count(*) as n from (select request_id,
count(*) filter (where kind = 'outcome') as outcomes from events where request_id is not null group by request_id) where outcomes <> 1"""

INTENTS = """select count(*) as n from (select request_id,
count(*) filter (where kind = 'route') as intents, count(*) filter (where kind = 'outcome') as outcomes
from events where request_id is not null group by request_id) where intents > 0 and outcomes <> 1"""

TRAILS = """select request_id, max(case when kind = 'outcome' then outcome_class end) as class,
count(*) filter (where kind = 'outcome') as outcomes, count(*) filter (where kind = 'request') as requests,
count(*) filter (where kind = 'cost') as costs, max(outcome_recovered) as recovered
from events where request_id is not null group by request_id"""


class Kept:
    """What SQL says is kept."""

    def __init__(self, binary, data):
        one = lambda statement: sql(binary, data, statement)[0]["n"]
        self.events = one("select count(*) as n from events")
        self.twice = one("select count(*) - count(distinct event_id) as n from events")
        self.holes = one(HOLES)
        self.unended = one(UNENDED)
        self.letters = sql(binary, data, "select reason, seq, length(encode(payload, 'hex')) / 2 as bytes from dead_letters order by log_position")
        self.trails = {row["request_id"]: row for row in sql(binary, data, TRAILS)}

    def lost(self, answers):
        """Answered requests whose answer is not in the evidence exactly once."""
        whole = lambda row: row and row["outcomes"] == 1 and row["requests"] == 1 and row["class"] in ("answered", "truncated")
        return [a.request_id for a in answers if a.status == 200 and not whole(self.trails.get(a.request_id))]

    def classes(self):
        return dict(Counter(row["class"] for row in self.trails.values()))

    def __str__(self):
        return (f"{self.events} events, {self.twice} twice, {self.holes} holes, {self.unended} without exactly one outcome, "
                f"{len(self.letters)} dead letters, {self.classes()}")


class Mount:
    """A small disk of its own: an ext4 file system in a file."""

    def __init__(self, folder, name, mib):
        self.image, self.point = Path(folder) / f"{name}.img", Path(folder) / name
        with open(self.image, "wb") as image:
            image.truncate(mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
        self.point.mkdir(exist_ok=True)
        self.mounted = False
        self.mount()

    def mount(self, options="loop"):
        subprocess.run(["mount", "-o", options, self.image, self.point], check=True)
        self.mounted = True

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", self.point], check=True)

    def unmount(self):
        for _ in range(20):
            if subprocess.run(["umount", self.point], capture_output=True).returncode == 0:
                self.mounted = False
                return
            time.sleep(0.2)
        raise RuntimeError(f"{self.point} stays mounted")

    def free(self):
        found = os.statvfs(self.point)
        return found.f_bavail * found.f_frsize

    def ballast(self, leave_mib):
        """Takes all space but so much; returns what gives it back."""
        ballast = self.point / "ballast"
        with open(ballast, "ab") as file:
            zeros = bytes(1 << 20)
            try:
                while self.free() > leave_mib << 20:
                    file.write(zeros[:min(len(zeros), self.free() - (leave_mib << 20))])
                    file.flush()
            except OSError:
                pass
        return ballast

    def remove(self):
        if self.mounted:
            self.unmount()
        self.image.unlink(missing_ok=True)
        shutil.rmtree(self.point, ignore_errors=True)
