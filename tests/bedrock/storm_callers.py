"""A thousand callers at once, over connections of their own, and what each of them got."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field

QUESTION = {"messages": [{"role": "user", "content": "Where is my parcel?"}], "max_tokens": 32}
# A caller that was told to come back does not come back at once.
POLITE = 0.2


@dataclass
class Seen:
    """Counts of answers, by status and code."""

    answers: Counter = field(default_factory=Counter)
    retry_after: Counter = field(default_factory=Counter)
    cut: int = 0

    def total(self):
        return sum(self.answers.values())

    def answered(self):
        return self.answers[200, None]


class Callers:
    """Callers of one capability, in a closed loop until they are told to stop."""

    def __init__(self, url, key, capability, count, name="plain"):
        self.host, self.port = url.removeprefix("http://").split(":")
        body = json.dumps({"model": capability, **QUESTION}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: storm\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        self.request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.count, self.name, self.seen, self.stopping = count, name, Seen(), False

    async def run(self):
        await asyncio.gather(*(self._call() for _ in range(self.count)))

    def take(self):
        """What was seen since it was taken last."""
        seen, self.seen = self.seen, Seen()
        return seen

    async def _call(self):
        reader = writer = None
        while not self.stopping:
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(self.host, self.port)
                writer.write(self.request)
                status, headers, body = await _answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.seen.cut += 1
                writer = None
                continue
            code = None if status == 200 else json.loads(body)["error"]["code"]
            self.seen.answers[status, code] += 1
            if status != 200:
                self.seen.retry_after["retry-after" in headers] += 1
                await asyncio.sleep(POLITE)
        if writer:
            writer.close()


async def _answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))
